import type { ValueRange } from '../grids/activation-grid.ts';
import { entropyRange } from './entropy-range.ts';
import type { Histogram } from './histogram.ts';

/**
 * How the range of an activation is found. `minmax`: everything seen. `percentile`: all but the outermost 0.01 % of the numbers.
 * `mse`: the ends with the least expected squared error. `entropy`: the ends that keep most information (KL divergence).
 */
export type ActivationRange = 'minmax' | 'percentile' | 'mse' | 'entropy';

/** A function of single numbers, applied to each. */
export type Elementwise = (values: Float32Array) => Float32Array;

const PERCENTILE = 99.99;

/** The range of a value by its histogram; 0 … 0 when nothing was observed. */
export function chooseRange(histogram: Histogram, range: ActivationRange): ValueRange {
  const { total, min, max } = histogram;
  if (total === 0) return { min: 0, max: 0 };
  switch (range) {
    case 'minmax':
      return { min, max };
    case 'percentile':
      return histogram.clip(percentileRange(histogram, PERCENTILE));
    case 'mse':
      return leastErrorRange(histogram);
    case 'entropy':
      return histogram.clip(entropyRange(histogram));
  }
}

/** The range that leaves out the outermost numbers, half of them at each end, to the width of a bin. */
export function percentileRange(histogram: Histogram, percentile: number): ValueRange {
  const { counts, total } = histogram;
  const cut = (total * (1 - percentile / 100)) / 2;
  let low = 0;
  for (let sum = counts[0]!; sum <= cut; sum += counts[low]!) low++;
  let high = counts.length - 1;
  for (let sum = counts[high]!; sum <= cut; sum += counts[high]!) high--;
  return { min: histogram.edge(low), max: histogram.edge(high + 1) };
}

/** Ends tried per side, each this much nearer to 0 than the one before. */
const ENDS = 96;
const END_RATIO = 0.95;

/**
 * The range whose 256 levels have the least expected squared error of f(x). Rounding to steps of width s costs f′(x)²·s²/12 a number
 * on average (Bennett, "Spectra of quantized signals", 1948); a number beyond an end costs (f(x) − f(end))². With the f that reads the
 * value, what it flattens is clipped for free. `meanSquare` is that error per number.
 */
export function leastErrorRange(
  histogram: Histogram,
  f: Elementwise = (values) => values,
): ValueRange & { readonly meanSquare: number } {
  const sums = new RunningSums(histogram, f);
  const ends = (extreme: number): ClippedEnd[] => {
    const count = extreme === 0 ? 1 : ENDS;
    const values = Float32Array.from({ length: count }, (_, i) => extreme * END_RATIO ** i);
    const images = f(values);
    return Array.from(values, (end, i) => sums.clip(end, images[i]!));
  };
  const lows = ends(Math.min(0, histogram.min));
  const highs = ends(Math.max(0, histogram.max));
  let best: ValueRange = { min: 0, max: 0 };
  let least = Infinity;
  for (const low of lows) {
    for (const high of highs) {
      const step = (high.end - low.end) / 255;
      const error = (sums.slopeBetween(low.bin, high.bin) * step * step) / 12 + low.error + high.error;
      if (error >= least) continue;
      least = error;
      best = { min: low.end, max: high.end };
    }
  }
  return { ...histogram.clip(best), meanSquare: histogram.total === 0 ? 0 : least / histogram.total };
}

interface ClippedEnd {
  readonly end: number;
  readonly bin: number;
  /** Σ (f(x) − f(end))² over the numbers beyond the end. */
  readonly error: number;
}

/** Sums over the bins before each bin: of the counts, of f, f² and f′² at the middles of the bins. */
class RunningSums {
  readonly #histogram: Histogram;
  readonly #counts: Float64Array;
  readonly #values: Float64Array;
  readonly #squares: Float64Array;
  readonly #slopes: Float64Array;

  constructor(histogram: Histogram, f: Elementwise) {
    const { counts, binWidth } = histogram;
    const edges = f(Float32Array.from({ length: counts.length + 1 }, (_, bin) => histogram.edge(bin)));
    this.#histogram = histogram;
    this.#counts = runningSum(counts, () => 1);
    const middle = (bin: number): number => (edges[bin]! + edges[bin + 1]!) / 2;
    this.#values = runningSum(counts, middle);
    this.#squares = runningSum(counts, (bin) => middle(bin) ** 2);
    this.#slopes = runningSum(counts, (bin) => ((edges[bin + 1]! - edges[bin]!) / binWidth) ** 2);
  }

  slopeBetween(low: number, high: number): number {
    return this.#slopes[high]! - this.#slopes[low]!;
  }

  clip(end: number, image: number): ClippedEnd {
    const bin = Math.round((end - this.#histogram.edge(0)) / this.#histogram.binWidth);
    const beyond = (sums: Float64Array): number => (end > 0 ? sums.at(-1)! - sums[bin]! : sums[bin]!);
    const error =
      beyond(this.#squares) - 2 * image * beyond(this.#values) + image * image * beyond(this.#counts);
    // At 0 there is nothing beyond: no other end was to be tried. Differences of sums may go below 0.
    return { end, bin, error: end === 0 ? 0 : Math.max(0, error) };
  }
}

/** Element i is Σ counts·of over the first i bins. */
function runningSum(counts: Float64Array, of: (bin: number) => number): Float64Array {
  const sums = new Float64Array(counts.length + 1);
  for (let bin = 0; bin < counts.length; bin++) sums[bin + 1] = sums[bin]! + counts[bin]! * of(bin);
  return sums;
}
