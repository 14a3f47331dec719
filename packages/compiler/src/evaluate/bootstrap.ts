import { resampledPrecision, type AveragePrecisionOptions, type ScoredImage } from './average-precision.ts';
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
  const statistic = (rows: readonly number[]): number =>
    metric.value(pick(predictions, rows), pick(golds, rows));
  return bootstrap(golds.length, statistic, options);
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
  const statistic = (rows: readonly number[]): number => {
    const gold = pick(golds, rows);
    return metric.value(pick(baseline, rows), gold) - metric.value(pick(candidate, rows), gold);
  };
  return bootstrap(golds.length, statistic, options);
}

/**
 * Percentile interval of the drop in mean average precision, baseline minus candidate, over resampled images; paired as `bootstrapDrop`.
 * A resample without golds counts as no drop.
 */
export function bootstrapPrecisionDrop(
  baseline: readonly ScoredImage[],
  candidate: readonly ScoredImage[],
  options: BootstrapOptions & AveragePrecisionOptions = {},
): Estimate {
  const [before, after] = [resampledPrecision(baseline, options), resampledPrecision(candidate, options)];
  return bootstrap(baseline.length, (rows) => before(rows) - after(rows) || 0, options);
}

function bootstrap(
  examples: number,
  statistic: (rows: readonly number[]) => number,
  { resamples = BOOTSTRAP_RESAMPLES, confidence = CONFIDENCE, seed = 1 }: BootstrapOptions,
): Estimate {
  const random = mulberry32(seed);
  const rows = Array.from({ length: examples }, (_, i) => i);
  const values = Array.from({ length: resamples }, () =>
    statistic(rows.map(() => Math.floor(random() * examples))),
  ).sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (resamples - 1))] ?? 0;
  const tail = (1 - confidence) / 2;
  return { value: statistic(rows), low: at(tail), high: at(1 - tail) };
}

function pick(values: readonly Answer[], rows: readonly number[]): readonly Answer[] {
  return rows.map((row) => values[row] ?? 0);
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
