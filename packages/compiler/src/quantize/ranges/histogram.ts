import type { ValueRange } from '../grids/activation-grid.ts';
import { extent } from './extent.ts';

const BINS = 4096;
const HALF = BINS / 2;

/** Where the doubling starts: smaller numbers all fall into the two middle bins. */
const SMALLEST_LIMIT = 2 ** -40;

/**
 * Counts numbers in 4096 bins of equal width over (−limit, limit), where limit is the least power of two above all of
 * them. When a larger number comes, limit doubles and bins merge in pairs: the counts are those that a histogram with
 * the final limit would have had from the start, in whatever order the numbers came.
 */
export class Histogram {
  /** Bin i counts the numbers in [edge(i), edge(i + 1)). */
  readonly counts: Float64Array = new Float64Array(BINS);
  total: number = 0;
  min: number = Infinity;
  max: number = -Infinity;
  #limit = SMALLEST_LIMIT;

  /** @throws CompilerError `bad-file` for a NaN or an infinity. */
  add(values: Float32Array): void {
    const { min, max } = extent(values);
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    while (Math.max(-this.min, this.max) >= this.#limit) this.#double();
    const scale = HALF / this.#limit; // a power of two: the products below are exact
    for (let i = 0; i < values.length; i++) this.counts[Math.floor(values[i]! * scale) + HALF]!++;
    this.total += values.length;
  }

  get binWidth(): number {
    return this.#limit / HALF;
  }

  edge(bin: number): number {
    return (bin - HALF) * this.binWidth;
  }

  /** The part of this range that holds numbers. */
  clip({ min, max }: ValueRange): ValueRange {
    return this.total === 0
      ? { min: 0, max: 0 }
      : { min: Math.max(min, this.min), max: Math.min(max, this.max) };
  }

  #double(): void {
    this.#limit *= 2;
    if (this.total === 0) return;
    const old = this.counts.slice();
    this.counts.fill(0);
    for (let i = 0; i < BINS; i++) this.counts[HALF + ((i - HALF) >> 1)]! += old[i]!;
  }
}
