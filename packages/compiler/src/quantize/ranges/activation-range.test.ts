import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { activationGrid, type ValueRange } from '../grids/activation-grid.ts';
import { chooseRange, leastErrorRange } from './activation-range.ts';
import { Histogram } from './histogram.ts';

const silu = (values: Float32Array): Float32Array => values.map((x) => x / (1 + Math.exp(-x)));

function histogramOf(data: Float32Array): Histogram {
  const histogram = new Histogram();
  histogram.add(data);
  return histogram;
}

/** Mean squared error of f on the 8-bit grid of a range, computed on the data itself. */
function errorAfter(
  f: (values: Float32Array) => Float32Array,
  data: Float32Array,
  range: ValueRange,
): number {
  const { scale, zeroPoint } = activationGrid(range);
  const rounded = data.map(
    (x) => (Math.min(255, Math.max(0, Math.round(x / scale) + zeroPoint)) - zeroPoint) * scale,
  );
  const [exact, actual] = [f(data), f(rounded)];
  return exact.reduce((sum, y, i) => sum + (y - actual[i]!) ** 2, 0) / data.length;
}

describe('leastErrorRange', () => {
  const sums = seededRandom(3).normal(20_000, -8, 12);

  it('spends no levels on what a SiLU flattens, and that pays', () => {
    const histogram = histogramOf(sums);
    const plain = chooseRange(histogram, 'mse');
    const aware = leastErrorRange(histogram, silu);
    expect(aware.min).toBeGreaterThan(plain.min / 4);
    expect(aware.max).toBeGreaterThan(plain.max * 0.7);
    expect(errorAfter(silu, sums, aware)).toBeLessThan(errorAfter(silu, sums, plain) / 2);
  });

  it('says what it costs', () => {
    const range = leastErrorRange(histogramOf(sums), silu);
    const actual = errorAfter(silu, sums, range);
    expect(range.meanSquare).toBeGreaterThan(actual * 0.8);
    expect(range.meanSquare).toBeLessThan(actual * 1.25);
  });

  it('keeps the one end of data that has no other side', () => {
    const positive = seededRandom(4)
      .normal(5000, 0, 2)
      .map((x) => Math.abs(x));
    const range = leastErrorRange(histogramOf(positive));
    expect(range.min).toBeCloseTo(0, 2);
    expect(range.max).toBeGreaterThan(4);
  });
});

describe('chooseRange', () => {
  it('minmax is what was seen, percentile cuts it, nothing is 0 … 0', () => {
    const data = seededRandom(5).normal(100_000);
    data[9] = 50;
    const histogram = histogramOf(data);
    expect(chooseRange(histogram, 'minmax')).toEqual({ min: histogram.min, max: 50 });
    expect(chooseRange(histogram, 'percentile').max).toBeLessThan(6);
    expect(chooseRange(histogram, 'entropy').max).toBeLessThan(8);
    for (const range of ['minmax', 'percentile', 'mse', 'entropy'] as const)
      expect(chooseRange(new Histogram(), range)).toMatchObject({ min: 0, max: 0 });
  });
});
