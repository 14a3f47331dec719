import { describe, expect, it } from 'vitest';
import { bootstrapDrop, bootstrapMetric } from './bootstrap.ts';
import { binomialCdf, clopperPearson, pairedAccuracyDrop } from './interval.ts';
import { latencyStats } from './latency.ts';
import { METRICS } from './metrics.ts';

describe('clopperPearson', () => {
  // R: binom.test(x, n)$conf.int
  it.each([
    [8, 10, 0.4439045, 0.9747893],
    [0, 10, 0, 0.3084971],
    [10, 10, 0.6915029, 1],
  ])('%i of %i', (hits, trials, low, high) => {
    const interval = clopperPearson(hits, trials);
    expect(interval.value).toBe(hits / trials);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  });

  it('holds its own definition for large counts', () => {
    const { low, high } = clopperPearson(4760, 6400);
    expect(1 - binomialCdf(4759, 6400, low)).toBeCloseTo(0.025, 9);
    expect(binomialCdf(4760, 6400, high)).toBeCloseTo(0.025, 9);
  });
});

describe('pairedAccuracyDrop', () => {
  it('counts what only one side gets right, and covers by Bonferroni', () => {
    const base = [true, true, true, false, true];
    const candidate = [true, false, false, true, true];
    const { value, low, high } = pairedAccuracyDrop(base, candidate);
    expect(value).toBeCloseTo(1 / 5, 15);
    const lost = clopperPearson(2, 5, 0.975);
    const won = clopperPearson(1, 5, 0.975);
    expect([low, high]).toEqual([lost.low - won.high, lost.high - won.low]);
  });

  it('does not collapse when both agree on every example', () => {
    const same = Array.from({ length: 640 }, (_, i) => i % 3 > 0);
    const { value, low, high } = pairedAccuracyDrop(same, same);
    // 1 − (0.0125)^(1/640): what no difference in 640 examples can exclude
    expect(value).toBe(0);
    expect(high).toBeCloseTo(1 - 0.0125 ** (1 / 640), 9);
    expect(low).toBeCloseTo(-high, 12);
  });
});

describe('bootstrap', () => {
  const golds = Array.from({ length: 400 }, (_, i) => i % 2);
  const predictions = golds.map((gold, i) => (i % 5 === 0 ? 1 - gold : gold));

  it('is seeded, and near the normal interval for accuracy', () => {
    const first = bootstrapMetric(METRICS.accuracy, predictions, golds, { seed: 3 });
    expect(first).toEqual(bootstrapMetric(METRICS.accuracy, predictions, golds, { seed: 3 }));
    expect(first.value).toBe(0.8);
    // ± 1.96·√(0.8·0.2/400) = 0.0392; 2000 resamples move the ends by less than 0.006
    expect(Math.abs(first.low - 0.7608)).toBeLessThan(0.006);
    expect(Math.abs(first.high - 0.8392)).toBeLessThan(0.006);
  });

  it('pairs: a model against itself has no spread, whatever its own', () => {
    expect(bootstrapDrop(METRICS.matthews, predictions, predictions, golds)).toEqual({
      value: 0,
      low: 0,
      high: 0,
    });
    const drop = bootstrapDrop(METRICS.accuracy, golds, predictions, golds);
    expect(drop.value).toBeCloseTo(0.2, 12);
    expect(drop.low).toBeGreaterThan(0.15);
    expect(drop.high).toBeLessThan(0.25);
  });
});

describe('latencyStats', () => {
  it('takes nearest ranks', () => {
    const samples = Array.from({ length: 20 }, (_, i) => 20 - i);
    expect(latencyStats(samples)).toEqual({ p50: 10, p95: 19 });
    expect(latencyStats([3])).toEqual({ p50: 3, p95: 3 });
    expect(() => latencyStats([])).toThrow('no samples');
  });
});
