import { CoMoments } from './co-moments.ts';

/** Rows that are taken in at a time: at most so many, and four for each feature. */
const BATCH_ROWS = 256;
const ROWS_PER_FEATURE = 4;

/**
 * Mean and mean of x·xᵀ over all rows x that were added: half the Hessian of a layer's squared error. Memory is width²/2 float32 and a
 * batch of rows, however many are added; `CoMoments` says how exact they are.
 */
export class SecondMoments {
  readonly width: number;
  readonly #summed: CoMoments;
  readonly #batch: Float32Array;
  #pending = 0;

  constructor(width: number) {
    this.width = width;
    this.#summed = new CoMoments(width);
    this.#batch = new Float32Array(Math.min(BATCH_ROWS, ROWS_PER_FEATURE * width) * width);
  }

  get count(): number {
    return this.#summed.count + this.#pending;
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
      if (filled + taken.length === this.#batch.length) this.#takeIn();
    }
  }

  means(): Float64Array {
    this.#takeIn();
    return Float64Array.from({ length: this.width }, (_, i) => this.#summed.mean(i));
  }

  /** Mean square of each feature. */
  meanSquares(): Float32Array {
    const means = this.means();
    return Float32Array.from(means, (mean, i) => this.#covariance(i, i) + mean * mean);
  }

  /** Mean of x·xᵀ, [width, width] row-major, on and above the diagonal; zeros below. */
  matrix(): Float64Array {
    const { width } = this;
    const [out, means] = [this.covariance(), this.means()];
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) out[i * width + j]! += means[i]! * means[j]!;
    return out;
  }

  /** The same of x − mean. */
  covariance(): Float64Array {
    this.#takeIn();
    const { width } = this;
    const out = new Float64Array(width * width);
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) out[i * width + j] = this.#covariance(i, j);
    return out;
  }

  #covariance(i: number, j: number): number {
    return this.#summed.product(i, j) / Math.max(1, this.#summed.count);
  }

  #takeIn(): void {
    if (this.#pending === 0) return;
    this.#summed.add(this.#batch.subarray(0, this.#pending * this.width));
    this.#pending = 0;
  }
}
