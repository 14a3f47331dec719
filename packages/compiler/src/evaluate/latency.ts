export interface LatencyStats {
  readonly p50: number;
  readonly p95: number;
}

/**
 * Percentiles by nearest rank (the smallest sample that at least that share does not exceed): always a time that
 * really occurred. In the samples' unit.
 */
export function latencyStats(samples: readonly number[]): LatencyStats {
  if (samples.length === 0) throw new RangeError('latencyStats: there are no samples.');
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95) };
}
