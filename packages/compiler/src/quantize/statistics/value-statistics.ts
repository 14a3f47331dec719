import { Histogram } from '../ranges/histogram.ts';
import type { PatchMoments } from './patch-moments.ts';

/** What the samples showed of each value that `quantizeConvNet` may quantize, by value name. */
export type ConvNetStatistics = ReadonlyMap<string, ValueStatistics>;

/** What the samples showed of one value. Memory does not grow with their number. */
export class ValueStatistics {
  readonly histogram: Histogram = new Histogram();
  /** What the layers that read it read together, by layer. */
  readonly patches: ReadonlyMap<string, PatchMoments>;
  #sums = new Float64Array();
  #squares = new Float64Array();
  #count = 0;

  constructor(patches: ReadonlyMap<string, PatchMoments> = new Map()) {
    this.patches = patches;
  }

  /** @throws CompilerError `bad-file` for a NaN or an infinity. */
  observe(values: Float32Array, dims: readonly number[]): void {
    this.histogram.add(values);
    for (const patches of this.patches.values()) patches.observe(values, dims);
    const channels = dims[1] ?? 1;
    if (this.#sums.length === 0) {
      this.#sums = new Float64Array(channels);
      this.#squares = new Float64Array(channels);
    }
    const area = dims.slice(2).reduce((product, dim) => product * dim, 1);
    for (let start = 0, channel = 0; start < values.length; start += area, channel++) {
      let [sum, squares] = [0, 0];
      for (let i = start; i < start + area; i++) {
        const value = values[i]!;
        sum += value;
        squares += value * value;
      }
      this.#sums[channel % channels]! += sum;
      this.#squares[channel % channels]! += squares;
    }
    this.#count += values.length / channels;
  }

  /** Mean of each channel (axis 1). */
  get means(): Float64Array {
    return this.#sums.map((sum) => sum / Math.max(1, this.#count));
  }

  /** Variance of each channel. */
  get variances(): Float64Array {
    const { means } = this;
    return this.#squares.map((square, i) => Math.max(0, square / Math.max(1, this.#count) - means[i]! ** 2));
  }
}
