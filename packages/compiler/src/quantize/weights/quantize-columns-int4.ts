import { fullScale, SMALLEST_SCALE, squaredError } from './choose-scale.ts';
import { ColumnPanels } from './column-panels.ts';
import { roundHalfEven, WEIGHT_GRIDS, type IntegerGrid } from '../grids/integer-grid.ts';
import { packInt4 } from './pack-int4.ts';
import { ErrorTally, type QuantizationError } from '../grids/quantization-error.ts';
import { refineRounding } from './refine-rounding.ts';
import { roundSecondOrder, type RowGrids } from './round-second-order.ts';
import type { UnitFactor } from './unit-factor.ts';

/** Weights that share one multiplier; fixed by the `QuantizedLinear` operator. */
export const INT4_BLOCK_SIZE = 32;

/** Largest multiplier by the bits of weights and of what they expand to: ±7 times it still fits (9·7 = 63); the format ends at 15. */
const LARGEST_MULTIPLIER = { 3: { 7: 15, 8: 15 }, 4: { 7: 9, 8: 15 } } as const;

/** Factors tried on the unclipped step of a block: clipping a lone outlier often pays with few levels. */
const STEP_FACTORS = [1, 0.92, 0.84, 0.76];

/** Multipliers of the widest block that are tried: the largest ones, which leave the finest choice to the others. */
const TOP_MULTIPLIERS = 4;

/** How many bits numbers have. */
export interface Int4Bits {
  /** 3: [-4,3]; 4: [-8,7]. */
  readonly weightBits: 3 | 4;
  /** Bits that value · multiplier may take: what the kernels compute with. */
  readonly computeBits: 7 | 8;
}

export interface Int4ColumnOptions extends Int4Bits {
  /** Weight of each row's squared error, length `rows`. Default: all alike. */
  readonly importance?: Float32Array | undefined;
  /** Rounds for the least error of the output. Default: to the nearest. */
  readonly moments?: DampedMoments | undefined;
}

/** Second moments of the features, [rows, rows], with their factor. */
export interface DampedMoments {
  readonly factor: UnitFactor;
  readonly matrix: Float32Array;
}

export interface Int4ColumnQuantization {
  /** int4 [rows, columns], row-major, two to a byte, low half first. */
  readonly data: Uint8Array;
  /** uint8 [⌈rows/32⌉, columns]. */
  readonly multiplier: Uint8Array;
  /** Per column: weight ≈ value · multiplier · scale. */
  readonly scale: Float32Array;
  readonly error: QuantizationError;
}

/**
 * Quantizes a row-major float32 [rows, columns] matrix to 4 or 3 bits with a whole-number multiplier per block of 32 rows and
 * one scale per column. Per column: every block's best step is found; each scale that makes the widest step a whole
 * multiple is tried with the two nearest multipliers of every block; the best is refitted by least squares.
 */
export function quantizeColumnsInt4(
  weight: Float32Array,
  rows: number,
  columns: number,
  { importance = new Float32Array(rows).fill(1), moments, ...bits }: Int4ColumnOptions,
): Int4ColumnQuantization {
  const blocks = Math.ceil(rows / INT4_BLOCK_SIZE);
  const values = new Int8Array(rows * columns);
  const multiplier = new Uint8Array(blocks * columns);
  const scale = new Float32Array(columns);
  const tally = new ErrorTally();
  const search = new ColumnSearch(rows, bits, importance);
  const panels = new ColumnPanels(rows, columns);
  for (const panel of panels.read(weight)) {
    for (let c = 0; c < panel.width; c++) {
      const column = panel.column + c;
      scale[column] = search.run(panel.data, c * rows);
      panel.integers.set(search.values, c * rows);
      for (let b = 0; b < blocks; b++) multiplier[b * columns + column] = search.multipliers[b]!;
      search.count(tally);
    }
    panels.write(panel, values);
  }
  const nearest = { data: packInt4(values), multiplier, scale, error: tally.result() };
  if (moments === undefined || Number.isNaN(nearest.error.sqnrDb)) return nearest;
  const together = new ErrorTally();
  const grids = int4Grids(multiplier, scale, bits);
  const rounded = roundSecondOrder(weight, columns, moments.factor, grids, together);
  refineRounding(weight, columns, rounded, moments.matrix, grids, together);
  return { data: packInt4(rounded), multiplier, scale, error: together.result() };
}

/** The int4 values that keep value · multiplier inside the compute grid. */
export function int4Grid(multiplier: number, { weightBits, computeBits }: Int4Bits): IntegerGrid {
  const { low, high } = WEIGHT_GRIDS[computeBits];
  const narrow = WEIGHT_GRIDS[weightBits];
  return {
    low: Math.max(narrow.low, Math.ceil(low / multiplier)),
    high: Math.min(narrow.high, Math.floor(high / multiplier)),
  };
}

/** The grids of a row, made anew for every block. */
function int4Grids(multiplier: Uint8Array, scale: Float32Array, bits: Int4Bits): (row: number) => RowGrids {
  const { length } = scale;
  const made: RowGrids & { block: number } = {
    block: -1,
    steps: new Float32Array(length),
    lows: new Int8Array(length),
    highs: new Int8Array(length),
  };
  return (row) => {
    const block = Math.floor(row / INT4_BLOCK_SIZE);
    if (block !== made.block) {
      made.block = block;
      for (let c = 0; c < length; c++) {
        const m = multiplier[block * length + c]!;
        const { low, high } = int4Grid(m, bits);
        made.steps[c] = m * scale[c]!;
        made.lows[c] = low;
        made.highs[c] = high;
      }
    }
    return made;
  };
}

/** Scratch for one column at a time. `multipliers` and `values` are what the last `run` chose. */
class ColumnSearch {
  readonly multipliers: Uint8Array;
  readonly values: Int8Array;
  readonly #rows: number;
  readonly #grids: readonly IntegerGrid[];
  /** Of the weights, whatever the multiplier. */
  readonly #full: IntegerGrid;
  readonly #largest: number;
  /** Per block, so that each search step gets its own rows' weights. */
  readonly #importance: readonly Float32Array[];
  readonly #steps: Float64Array;
  readonly #trial: Uint8Array;
  #data: Float32Array = new Float32Array();
  #from = 0;
  #scale = 1;

  constructor(rows: number, bits: Int4Bits, importance: Float32Array) {
    const blocks = Math.ceil(rows / INT4_BLOCK_SIZE);
    this.#rows = rows;
    this.#full = WEIGHT_GRIDS[bits.weightBits];
    this.#largest = LARGEST_MULTIPLIER[bits.weightBits][bits.computeBits];
    this.#grids = Array.from({ length: this.#largest + 1 }, (_, m) => int4Grid(Math.max(m, 1), bits));
    this.#importance = Array.from({ length: blocks }, (_, b) =>
      importance.subarray(b * INT4_BLOCK_SIZE, (b + 1) * INT4_BLOCK_SIZE),
    );
    this.#steps = new Float64Array(blocks);
    this.#trial = new Uint8Array(blocks);
    this.multipliers = new Uint8Array(blocks);
    this.values = new Int8Array(rows);
  }

  /** Chooses for the column that starts at `data[from]`; returns its scale. */
  run(data: Float32Array, from: number): number {
    this.#data = data;
    this.#from = from;
    const widest = this.#findSteps();
    this.#scale = 1;
    this.multipliers.fill(1);
    if (widest >= SMALLEST_SCALE && widest < Infinity) {
      this.#chooseMultipliers(widest);
      this.#refit();
    }
    this.#round(this.#scale);
    return this.#scale;
  }

  /** Adds the column's error to the tally. */
  count(tally: ErrorTally): void {
    for (let row = 0; row < this.#rows; row++) {
      const value = this.#data[this.#from + row]!;
      const m = this.multipliers[row >> 5]!;
      const q = this.values[row]!;
      const step = m * this.#scale;
      const difference = value - q * step;
      if (Math.abs(difference) > step * 0.500001) tally.clipped++;
      tally.signal += value * value;
      tally.noise += difference * difference;
    }
    tally.count += this.#rows;
  }

  #span(block: number): { values: Float32Array; from: number; to: number } {
    const from = this.#from + block * INT4_BLOCK_SIZE;
    return { values: this.#data, from, to: Math.min(from + INT4_BLOCK_SIZE, this.#from + this.#rows) };
  }

  /** Fills in every block's best step as if it could be any number; returns the widest. */
  #findSteps(): number {
    let widest = 0;
    for (let b = 0; b < this.#steps.length; b++) {
      const span = this.#span(b);
      const full = fullScale(span, this.#full);
      let best = full;
      let least = Infinity;
      for (const factor of full === 0 ? [] : STEP_FACTORS) {
        const error = squaredError(span, full * factor, this.#full, this.#importance[b]!);
        if (error >= least) continue;
        least = error;
        best = full * factor;
      }
      this.#steps[b] = best;
      widest = Math.max(widest, best);
    }
    return widest;
  }

  #chooseMultipliers(widest: number): void {
    let least = Infinity;
    for (let top = this.#largest - TOP_MULTIPLIERS + 1; top <= this.#largest; top++) {
      const scale = Math.fround(widest / top);
      const error = this.#tryScale(scale, least);
      if (error >= least) continue;
      least = error;
      this.#scale = scale;
      this.multipliers.set(this.#trial);
    }
  }

  /** Error with the best multipliers for this scale, left in the trial; gives up when it exceeds `limit`. */
  #tryScale(scale: number, limit: number): number {
    let sum = 0;
    for (let b = 0; b < this.#trial.length && sum < limit; b++) {
      const exact = this.#steps[b]! / scale;
      const below = Math.min(this.#largest, Math.max(1, Math.floor(exact)));
      const above = Math.min(this.#largest, Math.max(1, Math.ceil(exact)));
      const errorBelow = this.#blockError(b, below, scale);
      const errorAbove = above === below ? errorBelow : this.#blockError(b, above, scale);
      this.#trial[b] = errorAbove < errorBelow ? above : below;
      sum += Math.min(errorAbove, errorBelow);
    }
    return sum;
  }

  #blockError(block: number, multiplier: number, scale: number): number {
    return squaredError(
      this.#span(block),
      multiplier * scale,
      this.#grids[multiplier]!,
      this.#importance[block]!,
    );
  }

  /** With the integers fixed, the best scale is Σhwq / Σhq². Keeps it when rounding again with it loses less. */
  #refit(): void {
    this.#round(this.#scale);
    let [product, square] = [0, 0];
    for (let row = 0; row < this.#rows; row++) {
      const q = this.values[row]! * this.multipliers[row >> 5]!;
      const weighted = q * this.#importance[row >> 5]![row & 31]!;
      product += weighted * this.#data[this.#from + row]!;
      square += weighted * q;
    }
    const fitted = Math.fround(product / square);
    if (fitted > 0 && this.#columnError(fitted) < this.#columnError(this.#scale)) this.#scale = fitted;
  }

  #columnError(scale: number): number {
    let sum = 0;
    for (let b = 0; b < this.#trial.length; b++) sum += this.#blockError(b, this.multipliers[b]!, scale);
    return sum;
  }

  #round(scale: number): void {
    for (let row = 0; row < this.#rows; row++) {
      const m = this.multipliers[row >> 5]!;
      const { low, high } = this.#grids[m]!;
      const q = roundHalfEven(this.#data[this.#from + row]! / (m * scale));
      this.values[row] = Math.min(high, Math.max(low, q));
    }
  }
}
