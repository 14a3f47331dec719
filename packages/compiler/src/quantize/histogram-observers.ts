import { CompilerError } from '../diagnostics/index.ts';
import type { ValueRange } from './activation-grid.ts';
import { Histogram } from './histogram.ts';
import type { ObserverFactory } from './observer.ts';

export interface PercentileObserverOptions {
  /** Share of the numbers inside the range, in percent; half of the rest is cut at each end. Default 99.99. */
  readonly percentile?: number;
}

/**
 * A range that leaves out the outermost numbers, to the width of a histogram bin (1/2048 of the largest magnitude).
 * @throws CompilerError `bad-option` for a percentile outside (0, 100].
 */
export function percentileObserver({ percentile = 99.99 }: PercentileObserverOptions = {}): ObserverFactory {
  if (!(percentile > 0 && percentile <= 100))
    throw new CompilerError('bad-option', `percentile must be above 0 and at most 100, got ${percentile}`);
  return histogramObserver((histogram) => percentileRange(histogram, percentile));
}

/** The range whose 256 levels have the least expected squared error, rounding and clipping together. */
export function mseObserver(): ObserverFactory {
  return histogramObserver(leastErrorRange);
}

function histogramObserver(rangeOf: (histogram: Histogram) => ValueRange): ObserverFactory {
  return () => {
    const histogram = new Histogram();
    return {
      observe: (values) => histogram.add(values),
      range: () => histogram.clip(histogram.total === 0 ? { min: 0, max: 0 } : rangeOf(histogram)),
    };
  };
}

function percentileRange(histogram: Histogram, percentile: number): ValueRange {
  const { counts, total } = histogram;
  const cut = (total * (1 - percentile / 100)) / 2;
  let low = 0;
  for (let sum = counts[0]!; sum <= cut; sum += counts[low]!) low++;
  let high = counts.length - 1;
  for (let sum = counts[high]!; sum <= cut; sum += counts[high]!) high--;
  return { min: histogram.edge(low), max: histogram.edge(high + 1) };
}

/** Ends tried per side, from the extreme towards 0. */
const ENDS = 64;

/**
 * Rounding to steps of width s costs s²/12 a number on average (Bennett, "Spectra of quantized signals", 1948);
 * a number beyond an end costs its squared distance to it.
 */
function leastErrorRange(histogram: Histogram): ValueRange {
  const { total } = histogram;
  const lows = endsFrom(Math.min(0, histogram.min));
  const highs = endsFrom(Math.max(0, histogram.max));
  const below = lows.map((end) => clippingError(histogram, end, -1));
  const above = highs.map((end) => clippingError(histogram, end, 1));
  let best: ValueRange = { min: histogram.min, max: histogram.max };
  let least = Infinity;
  for (const [i, min] of lows.entries()) {
    for (const [j, max] of highs.entries()) {
      const step = (max - min) / 255;
      const error = (total * step * step) / 12 + below[i]! + above[j]!;
      if (error >= least) continue;
      least = error;
      best = { min, max };
    }
  }
  return best;
}

function endsFrom(extreme: number): number[] {
  return extreme === 0 ? [0] : Array.from({ length: ENDS }, (_, i) => extreme * (1 - i / ENDS));
}

/** Σ (number − end)² over the numbers beyond the end on this side, taken at the middle of their bins. */
function clippingError(histogram: Histogram, end: number, side: 1 | -1): number {
  const { counts, binWidth } = histogram;
  let sum = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const distance = (histogram.edge(bin) + binWidth / 2 - end) * side;
    if (distance > 0) sum += counts[bin]! * distance * distance;
  }
  return sum;
}
