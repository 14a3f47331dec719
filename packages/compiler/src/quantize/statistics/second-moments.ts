import { sumOuterProducts } from './outer-products.ts';

/** Rows whose products are summed at a time: at most so many, and four for each feature. */
const BATCH_ROWS = 128;
const ROWS_PER_FEATURE = 4;

/**
 * Mean and mean of x·xᵀ over all rows x that were added: half the Hessian of a layer's squared error. Memory is width²/2 float32 and a
 * batch of rows, however many are added.
 */
export class SecondMoments {
  readonly width: number;
  readonly #sums: Float64Array;
  /** Upper triangle, row after row without what lies below. */
  readonly #products: Float32Array;
  readonly #batch: Float32Array;
  /** Rows in the batch, and rows that have left it. */
  #pending = 0;
  #summed = 0;

  constructor(width: number) {
    this.width = width;
    this.#sums = new Float64Array(width);
    this.#products = new Float32Array((width * (width + 1)) / 2);
    this.#batch = new Float32Array(Math.min(BATCH_ROWS, ROWS_PER_FEATURE * width) * width);
  }

  get count(): number {
    return this.#summed + this.#pending;
  }

  /** Rows one after the other. */
  add(rows: Float32Array): void {
    const { width } = this;
    for (let at = 0; at < rows.length;) {
      const filled = this.#pending * width;
      const taken = rows.subarray(at, at + this.#batch.length - filled);
      this.#batch.set(taken, filled);
      this.#pending += taken.length / width;
      at += taken.length;
      if (filled + taken.length === this.#batch.length) this.#sumBatch();
    }
  }

  means(): Float64Array {
    this.#sumBatch();
    return this.#sums.map((sum) => sum / Math.max(1, this.#summed));
  }

  /** Mean square of each feature. */
  meanSquares(): Float32Array {
    this.#sumBatch();
    const { width } = this;
    const out = new Float32Array(width);
    for (let i = 0, at = 0; i < width; at += width - i++)
      out[i] = this.#products[at]! / Math.max(1, this.#summed);
    return out;
  }

  /** Mean of x·xᵀ, [width, width] row-major, on and above the diagonal; zeros below. */
  matrix(): Float64Array {
    this.#sumBatch();
    const { width } = this;
    const out = new Float64Array(width * width);
    for (let i = 0, at = 0; i < width; i++)
      for (let j = i; j < width; j++) out[i * width + j] = this.#products[at++]! / Math.max(1, this.#summed);
    return out;
  }

  /** The same of x − mean. */
  covariance(): Float64Array {
    const { width } = this;
    const [out, means] = [this.matrix(), this.means()];
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) out[i * width + j]! -= means[i]! * means[j]!;
    return out;
  }

  #sumBatch(): void {
    if (this.#pending === 0) return;
    const { width } = this;
    const rows = this.#batch.subarray(0, this.#pending * width);
    for (let at = 0; at < rows.length; at += width)
      for (let i = 0; i < width; i++) this.#sums[i]! += rows[at + i]!;
    const { data, stride } = sumOuterProducts(rows, width);
    for (let i = 0, at = 0; i < width; i++)
      for (let j = i; j < width; j++) this.#products[at++]! += data[i * stride + j]!;
    this.#summed += this.#pending;
    this.#pending = 0;
  }
}
