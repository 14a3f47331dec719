import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { activationGrid } from '../grids/activation-grid.ts';
import { Histogram } from './histogram.ts';
import { entropyObserver, mseObserver, percentileObserver } from './histogram-observers.ts';
import { minMaxObserver, type Observer } from './observer.ts';

function rangeOver(observer: Observer, ...parts: Float32Array[]): { min: number; max: number } {
  for (const part of parts) observer.observe(part);
  return observer.range();
}

/** Mean squared error of the 8-bit grid of a range, computed on the data itself. */
function gridError(data: Float32Array, range: { min: number; max: number }): number {
  const { scale, zeroPoint } = activationGrid(range);
  return data.reduce((sum, x) => {
    const q = Math.min(255, Math.max(0, Math.round(x / scale) + zeroPoint));
    return sum + (x - (q - zeroPoint) * scale) ** 2;
  }, 0);
}

describe('Histogram', () => {
  it.each([1, 2, 3])('does not depend on the order (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const parts = [0.001, 3, 0.1, 700].map((deviation) => random.normal(500, 0, deviation));
    const [forward, backward] = [new Histogram(), new Histogram()];
    for (const part of parts) forward.add(part);
    for (const part of parts.toReversed()) backward.add(part);
    expect(forward.counts).toEqual(backward.counts);
    expect(forward.binWidth).toBe(backward.binWidth);
    const all = parts.flatMap((part) => [...part]);
    const expected = new Float64Array(forward.counts.length);
    for (const x of all) expected[Math.floor(x / forward.binWidth) + expected.length / 2]!++;
    expect(forward.counts).toEqual(expected);
  });
});

describe('observers', () => {
  it('minMax is exact over batches', () => {
    expect(rangeOver(minMaxObserver(), Float32Array.of(1, -2), Float32Array.of(7, 0))).toEqual({
      min: -2,
      max: 7,
    });
    expect(minMaxObserver().range()).toEqual({ min: 0, max: 0 });
  });

  it.each([99, 99.9])('percentile %f is the sorted data to one bin', (percentile) => {
    const data = seededRandom(4).normal(20_000, 1, 2);
    data[17] = 60;
    const range = rangeOver(
      percentileObserver({ percentile })(),
      data.subarray(0, 5000),
      data.subarray(5000),
    );
    const sorted = data.toSorted();
    const cut = Math.floor((data.length * (1 - percentile / 100)) / 2);
    const bin = 64 / 2048;
    expect(Math.abs(range.min - sorted[cut]!)).toBeLessThanOrEqual(bin);
    expect(Math.abs(range.max - sorted.at(-1 - cut)!)).toBeLessThanOrEqual(bin);
  });

  it('percentile 100 is minMax', () => {
    const data = seededRandom(5).normal(1000, -3);
    expect(rangeOver(percentileObserver({ percentile: 100 })(), data)).toEqual(
      rangeOver(minMaxObserver(), data),
    );
  });

  it.each([
    ['normal', 0],
    ['with outliers', 40],
  ])('mse is close to the best range on the data: %s', (_, outlier) => {
    const data = seededRandom(6).normal(8000);
    data[5] = outlier;
    const chosen = gridError(data, rangeOver(mseObserver()(), data));
    const minMax = gridError(data, rangeOver(minMaxObserver(), data));
    const [low, high] = [Math.min(...data), Math.max(...data)];
    const best = Math.min(
      ...Array.from({ length: 25 }, (_unused, i) =>
        Array.from({ length: 25 }, (_also, j) =>
          gridError(data, { min: low * (1 - i / 25), max: high * (1 - j / 25) }),
        ),
      ).flat(),
    );
    expect(chosen).toBeLessThanOrEqual(minMax);
    expect(chosen).toBeLessThanOrEqual(best * 1.02);
  });

  it('entropy keeps all of what is even, cuts a lone outlier, and is not led by zeros', () => {
    const even = seededRandom(7).uniform(200_000, -1, 3);
    expect(rangeOver(entropyObserver()(), even)).toEqual(rangeOver(minMaxObserver(), even));
    const data = seededRandom(8).normal(100_000);
    data[3] = 40;
    const { min, max } = rangeOver(entropyObserver()(), data);
    expect(max).toBeGreaterThan(3);
    expect(max).toBeLessThan(8);
    expect(min).toBe(-max);
    const relu = data.map((x) => Math.max(0, x));
    const range = rangeOver(entropyObserver()(), relu);
    const positive = relu.filter((x) => x > 0);
    expect(range).toEqual({ ...rangeOver(entropyObserver()(), positive), min: 0 });
    // A range has at least a bin for each level: 8 of 40.
    expect(range.max).toBeLessThan(8.1);
  });

  it('constant and empty data', () => {
    for (const observer of [mseObserver()(), percentileObserver()(), entropyObserver()()]) {
      expect(observer.range()).toEqual({ min: 0, max: 0 });
      observer.observe(new Float32Array(10));
      expect(observer.range()).toEqual({ min: 0, max: 0 });
    }
    for (const observer of [mseObserver()(), entropyObserver()()])
      expect(rangeOver(observer, Float32Array.of(5, 5, 5)).max).toBe(5);
  });

  it('refuse what is not finite, and percentiles that are none', () => {
    for (const observer of [minMaxObserver(), mseObserver()(), percentileObserver()()])
      for (const bad of [NaN, Infinity, -Infinity])
        expect(() => observer.observe(Float32Array.of(0, bad, 1))).toThrow(/NaN or an infinity/);
    expect(() => percentileObserver({ percentile: 0 })).toThrow(/percentile/);
    expect(() => percentileObserver({ percentile: 101 })).toThrow(/percentile/);
  });
});

describe('activationGrid', () => {
  it.each([
    [
      { min: -1, max: 1 },
      { scale: Math.fround(2 / 255), zeroPoint: 127 },
    ],
    [
      { min: 0, max: 2.55 },
      { scale: Math.fround(Math.fround(2.55) / 255), zeroPoint: 0 },
    ],
    [
      { min: 1, max: 255 },
      { scale: 1, zeroPoint: 0 },
    ],
    [
      { min: -255, max: -1 },
      { scale: 1, zeroPoint: 255 },
    ],
    [
      { min: 0, max: 0 },
      { scale: 1, zeroPoint: 0 },
    ],
  ])('%j is %j', (range, grid) => {
    expect(activationGrid(range)).toEqual(grid);
  });

  it('refuses no range', () => {
    expect(() => activationGrid({ min: 1, max: -1 })).toThrow(/not a range/);
    expect(() => activationGrid({ min: NaN, max: 1 })).toThrow(/not a range/);
  });
});
