import { ScratchMachine } from '../../wasm/index.ts';
import {
  PANEL_FEATURES,
  roundedProductModule,
  TILE_ROWS,
  type RoundedProductKernels,
} from './kernels/rounded-product-kernel.ts';

const machine: ScratchMachine<RoundedProductKernels> = new ScratchMachine<RoundedProductKernels>(
  roundedProductModule,
);

/** Products that the kernels add to at a time, so that they stay in the second-level cache; a band that has more is one strip. */
const STRIP_FLOATS = 65_536;

/** Bytes of a panel's float32 row, and of its units. */
const PANEL_BYTES = 4 * PANEL_FEATURES;

/**
 * Means of features, and Σ d·dᵀ over what rows deviate from them: batches are joined as by Chan, Golub & LeVeque ("Updating formulae and
 * a pairwise algorithm for computing sample variances", 1979). Means are float64, products float32, in tiles [4][8]: bands of eight rows, each first its upper
 * half, from the tile on the diagonal to the right.
 */
export class CoMoments {
  readonly width: number;
  readonly #panels: number;
  readonly #means: Float64Array;
  readonly #products: Float32Array;
  #count = 0;

  constructor(width: number) {
    this.width = width;
    this.#panels = Math.ceil(width / PANEL_FEATURES);
    this.#means = new Float64Array(PANEL_FEATURES * this.#panels);
    this.#products = new Float32Array(this.#bandStart(this.#panels));
  }

  /** Rows that were added. */
  get count(): number {
    return this.#count;
  }

  mean(i: number): number {
    return this.#means[i]!;
  }

  /** Σ dᵢ·dⱼ, i ≤ j. */
  product(i: number, j: number): number {
    const band = Math.floor(i / PANEL_FEATURES);
    const half = Math.floor(i / TILE_ROWS) % 2;
    const tile = half * (this.#panels - band) + Math.floor(j / PANEL_FEATURES) - band;
    const place = (tile * TILE_ROWS + (i % TILE_ROWS)) * PANEL_FEATURES + (j % PANEL_FEATURES);
    return this.#products[this.#bandStart(band) + place]!;
  }

  /**
   * Adds a batch of rows, one after the other. Their deviations from the batch's means are rounded to 16-bit integers with one power of two
   * for each feature (block floating point), whose products are summed exactly: over n rows the error of Σ dᵢ·dⱼ is at most 2·√n·2⁻¹⁵·√(Σ dᵢ²·Σ dⱼ²),
   * and that of a random walk where numbers vary.
   */
  add(rows: Float32Array): void {
    const panels = this.#panels;
    const count = rows.length / this.width;
    const stride = PANEL_BYTES * panels;
    const end = stride * count;
    const evenEnd = end + stride * (count % 2);
    const panelBytes = evenEnd / panels / 2;
    const sumsAt = evenEnd;
    const meansAt = sumsAt + 2 * stride;
    const shiftsAt = meansAt + stride;
    const panelsAt = shiftsAt + stride;
    const unitsAt = panelsAt + evenEnd / 2;
    const stripAt = unitsAt + stride;
    const stripFloats = Math.max(STRIP_FLOATS, this.#bandStart(1));
    const { kernels, buffer } = machine.reserve(stripAt + 4 * stripFloats);
    this.#putRows(rows, new Float32Array(buffer, 0, end / 4));
    kernels.sumRows(0, end, stride, sumsAt);
    const features = this.#means.length;
    const means = new Float32Array(buffer, meansAt, features);
    const shifts = new Float32Array(buffer, shiftsAt, features);
    this.#join(new Float64Array(buffer, sumsAt, features), count, means, shifts);
    // A row that deviates by nothing, where their number is odd.
    new Float32Array(buffer).set(means.subarray(0, (evenEnd - end) / 4), end / 4);
    kernels.roundRows(0, evenEnd, stride, meansAt, panelsAt, unitsAt);

    for (let band = 0; band < panels;) {
      const start = this.#bandStart(band);
      let stripEnd = band + 1;
      while (stripEnd < panels && this.#bandStart(stripEnd + 1) - start <= stripFloats) stripEnd++;
      const products = this.#products.subarray(start, this.#bandStart(stripEnd));
      const strip = new Float32Array(buffer, stripAt, products.length);
      strip.set(products);
      for (; band < stripEnd; band++) {
        const left = panelsAt + band * panelBytes;
        const offset = PANEL_BYTES * band;
        const tiles = stripAt + 4 * (this.#bandStart(band) - start);
        kernels.addBand(left, unitsAt, panelBytes, unitsAt + offset, shiftsAt + offset, tiles);
      }
      products.set(strip);
    }
  }

  /** Rows, each padded to whole panels with zeros. */
  #putRows(rows: Float32Array, to: Float32Array): void {
    const { width } = this;
    const padded = this.#means.length;
    if (width === padded) return to.set(rows);
    to.fill(0);
    for (let from = 0, row = 0; from < rows.length; from += width, row++)
      to.set(rows.subarray(from, from + width), row * padded);
  }

  /** Takes a batch into the means. Gives its own, and by what s·sᵀ the products grow because they differ from those so far. */
  #join(sums: Float64Array, count: number, means: Float32Array, shifts: Float32Array): void {
    const total = this.#count + count;
    const share = count / total;
    const weight = Math.sqrt(this.#count * share);
    for (let i = 0; i < sums.length; i++) {
      const mean = sums[i]! / count;
      const difference = mean - this.#means[i]!;
      means[i] = mean;
      shifts[i] = difference * weight;
      this.#means[i]! += difference * share;
    }
    this.#count = total;
  }

  #bandStart(band: number): number {
    return PANEL_FEATURES ** 2 * (band * this.#panels - (band * (band - 1)) / 2);
  }
}
