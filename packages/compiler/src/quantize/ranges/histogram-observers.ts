import { CompilerError } from '../../diagnostics/index.ts';
import type { ValueRange } from '../grids/activation-grid.ts';
import { leastErrorRange, percentileRange } from './activation-range.ts';
import { entropyRange } from './entropy-range.ts';
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
  return histogramObserver((histogram) => leastErrorRange(histogram));
}

/** The range whose 256 levels keep most of the information: the least Kullback-Leibler divergence, as in TensorRT and onnxruntime. */
export function entropyObserver(): ObserverFactory {
  return histogramObserver(entropyRange);
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
