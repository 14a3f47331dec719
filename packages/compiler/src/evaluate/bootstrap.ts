import type { Answer } from './dataset.ts';
import { CONFIDENCE, type Estimate } from './interval.ts';
import type { Metric } from './metrics.ts';

export interface BootstrapOptions {
  /** Default 2000: the ends of a 95 % interval then rest on 50 samples each. */
  readonly resamples?: number;
  readonly confidence?: number;
  /** Default 1. The same seed gives the same interval. */
  readonly seed?: number;
}

export const BOOTSTRAP_RESAMPLES = 2000;

/** Percentile interval of a metric over resampled examples (Efron 1979, "Bootstrap methods: another look at the jackknife"). */
export function bootstrapMetric(
  metric: Metric,
  predictions: readonly Answer[],
  golds: readonly Answer[],
  options: BootstrapOptions = {},
): Estimate {
  return bootstrap(golds.length, metric.over(predictions, golds), options);
}

/**
 * Percentile interval of the metric's drop, baseline minus candidate. Paired: every resample takes the same examples
 * for both, so that what is hard for both cancels out.
 */
export function bootstrapDrop(
  metric: Metric,
  baseline: readonly Answer[],
  candidate: readonly Answer[],
  golds: readonly Answer[],
  options: BootstrapOptions = {},
): Estimate {
  const before = metric.over(baseline, golds);
  const after = metric.over(candidate, golds);
  return bootstrap(golds.length, (positions) => before(positions) - after(positions), options);
}

function bootstrap(
  examples: number,
  statistic: (positions: readonly number[]) => number,
  { resamples = BOOTSTRAP_RESAMPLES, confidence = CONFIDENCE, seed = 1 }: BootstrapOptions,
): Estimate {
  const random = mulberry32(seed);
  const all = Array.from({ length: examples }, (_, i) => i);
  const values = Array.from({ length: resamples }, () =>
    statistic(all.map(() => Math.floor(random() * examples))),
  )
    // Images without any box may be all that a resample takes.
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? NaN;
  const tail = (1 - confidence) / 2;
  return { value: statistic(all), low: at(tail), high: at(1 - tail) };
}

/** Tommy Ettinger's mulberry32: small, seeded, good enough for resampling. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
