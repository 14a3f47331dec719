import { ScratchMachine } from '../../wasm/index.ts';
import type { IntegerGrid } from '../grids/integer-grid.ts';
import { PANEL_SPANS, PLACES, spanKernelsModule, TRIALS, type SpanKernels } from './kernels/span-kernels.ts';

const machine: ScratchMachine<SpanKernels> = new ScratchMachine<SpanKernels>(spanKernelsModule);

/** What a panel is for. */
export interface SpanPanelOptions {
  /** Elements of each span. */
  readonly length: number;
  readonly grid: IntegerGrid;
  /** Room for the floats that panels are loaded from; the integers they become have as many bytes. */
  readonly stripFloats: number;
}

/**
 * Sixteen spans, side by side in WebAssembly memory, and the kernels that measure and round them. All panels share one
 * memory, so only the newest may be used.
 */
export class SpanPanel {
  readonly length: number;
  /** Bytes of the floats to quantize. */
  readonly strip: Uint8Array;
  /** What `store…` writes, where the floats of the strip were. */
  readonly integers: Int8Array;
  /** Per span, from `extents`. */
  readonly lows: Float32Array;
  readonly highs: Float32Array;
  /** [TRIALS][16]: 1/scale; `round` takes the first. */
  readonly inverses: Float64Array;
  /** [TRIALS][16], from `sumErrors`, for a scale of 1. */
  readonly sums: Float64Array;
  /** Per span, from `round`, for a scale of 1. */
  readonly signal: Float64Array;
  readonly noise: Float64Array;
  /** Per span, at even indices. */
  readonly clipped: Int32Array;
  readonly #kernels: SpanKernels;
  readonly #places: Places;

  constructor(options: SpanPanelOptions) {
    const places = placesFor(options);
    const { kernels, buffer } = machine.reserve(places.end);
    this.length = options.length;
    this.#kernels = kernels;
    this.#places = places;
    this.strip = new Uint8Array(buffer, places.strip, 4 * options.stripFloats);
    this.integers = new Int8Array(buffer, places.stripIntegers, options.stripFloats);
    this.lows = new Float32Array(buffer, PLACES.lows, PANEL_SPANS);
    this.highs = new Float32Array(buffer, PLACES.highs, PANEL_SPANS);
    this.inverses = new Float64Array(buffer, PLACES.inverses, TRIALS * PANEL_SPANS);
    this.sums = new Float64Array(buffer, PLACES.sums, TRIALS * PANEL_SPANS);
    this.signal = new Float64Array(buffer, PLACES.signal, PANEL_SPANS);
    this.noise = new Float64Array(buffer, PLACES.noise, PANEL_SPANS);
    this.clipped = new Int32Array(buffer, PLACES.clipped, 2 * PANEL_SPANS);
    new Float64Array(buffer, PLACES.grid, 2).set([options.grid.low, options.grid.high]);
  }

  /** Takes the columns `column` … `column + 15` of a strip with rows of `stride` floats. */
  loadColumns(column: number, stride: number): void {
    const { panel, panelEnd, strip } = this.#places;
    this.#kernels.loadColumns(panel, panelEnd, strip + 4 * column, 4 * stride);
  }

  storeColumns(column: number, stride: number): void {
    const { integers, integersEnd, stripIntegers } = this.#places;
    this.#kernels.storeColumns(integers, integersEnd, stripIntegers + column, stride);
  }

  /** Takes the rows `row` … `row + 15` of a strip with rows of `stride` floats, a multiple of 16. */
  loadRows(row: number, stride: number): void {
    const { panel, panelEnd, strip } = this.#places;
    this.#kernels.loadRows(panel, panelEnd, strip + 4 * row * stride, 4 * stride);
  }

  storeRows(row: number, stride: number): void {
    const { integers, integersEnd, stripIntegers } = this.#places;
    this.#kernels.storeRows(integers, integersEnd, stripIntegers + row * stride, stride);
  }

  measureExtents(): void {
    this.#kernels.extents(this.#places.panel, this.#places.panelEnd);
  }

  /** For the spans 2·pair and 2·pair + 1. */
  sumErrors(pair: number): void {
    this.#kernels.sumErrors(this.#places.panel, this.#places.panelEnd, pair);
  }

  round(): void {
    const { panel, panelEnd, integers } = this.#places;
    for (let pair = 0; pair < PANEL_SPANS / 2; pair++)
      this.#kernels.roundPair(panel, panelEnd, integers, pair);
  }
}

interface Places {
  readonly panel: number;
  readonly panelEnd: number;
  readonly integers: number;
  readonly integersEnd: number;
  readonly strip: number;
  readonly stripIntegers: number;
  readonly end: number;
}

function placesFor({ length, stripFloats }: SpanPanelOptions): Places {
  const panel = roundUpToPanel(PLACES.end);
  const panelEnd = panel + 4 * PANEL_SPANS * length;
  // Rows are moved sixteen elements at a time.
  const integers = panel + 4 * PANEL_SPANS * roundUpToPanel(length);
  const integersEnd = integers + PANEL_SPANS * length;
  const strip = integers + PANEL_SPANS * roundUpToPanel(length);
  const stripIntegers = roundUpToPanel(strip + 4 * stripFloats);
  const end = stripIntegers + stripFloats;
  return { panel, panelEnd, integers, integersEnd, strip, stripIntegers, end };
}

/** The next multiple of 16. */
export function roundUpToPanel(count: number): number {
  return Math.ceil(count / PANEL_SPANS) * PANEL_SPANS;
}
