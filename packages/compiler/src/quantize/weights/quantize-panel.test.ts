import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { float32Tensor } from '../../ir/index.ts';
import { SMALLEST_SCALE, unclippedScale, type WeightRange } from './choose-scale.ts';
import { roundHalfEven, WEIGHT_GRIDS, type IntegerGrid } from '../grids/integer-grid.ts';
import { quantizeColumns } from './quantize-columns.ts';
import { quantizeRows } from './quantize-rows.ts';

// The kernels against the same search and rounding written down for one span: not a bit may differ.

function chooseScale(span: readonly number[], grid: IntegerGrid, range: WeightRange): number {
  const full = unclippedScale(Math.min(0, ...span), Math.max(0, ...span), grid);
  if (full < SMALLEST_SCALE) return 1;
  if (range === 'max') return full;
  const errorOf = (scale: number): number => squaredError(span, scale, grid);
  let [best, least] = [full, errorOf(full)];
  for (let scale = full * 0.97, failures = 0; failures < 2; scale *= 0.97) {
    const error = errorOf(scale);
    if (error < least) [best, least, failures] = [scale, error, 0];
    else failures++;
  }
  return Math.fround(best);
}

function squaredError(span: readonly number[], scale: number, grid: IntegerGrid): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (const value of span) sum += (value * inverse - nearest(value * inverse, grid)) ** 2;
  return sum * scale * scale;
}

function nearest(exact: number, { low, high }: IntegerGrid): number {
  return Math.max(low, Math.min(high, roundHalfEven(exact)));
}

function quantizeSpan(
  span: readonly number[],
  grid: IntegerGrid,
  range: WeightRange,
): { scale: number; integers: number[]; clipped: number } {
  const scale = chooseScale(span, grid, range);
  const exact = span.map((value) => value * (1 / scale));
  return {
    scale,
    integers: exact.map((value) => nearest(value, grid) + 0),
    clipped: exact.filter((value) => nearest(value, grid) !== roundHalfEven(value)).length,
  };
}

/** Compared as buffers: a matcher takes seconds for a million elements. */
function bytesOf(array: Int8Array | Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Rows of numbers with outliers, zeros and halves. */
function someMatrix(seed: number, rows: number, columns: number): Float32Array {
  const random = seededRandom(seed);
  const sizes = Array.from({ length: columns }, () => [1, 1e-3, 40, 0][random.int(0, 3)]!);
  const outliers = random.normal(rows * columns).map((x) => (Math.abs(x) > 2.5 ? 6 : 1));
  return random
    .normal(rows * columns)
    .map((x, i) => (random.int(0, 9) === 0 ? Math.round(x) / 2 : x) * outliers[i]! * sizes[i % columns]!);
}

describe.each([
  [1, 5, 3],
  [2, 16, 16],
  [3, 33, 50],
  [4, 300, 17],
  [5, 4, 4100],
])('spans in panels (seed %i, %i by %i)', (seed, rows, columns) => {
  const matrix = someMatrix(seed, rows, columns);
  const tensor = float32Tensor([rows, columns], matrix);

  it.each([
    [7, 'mse'],
    [8, 'mse'],
    [8, 'max'],
  ] as const)('columns in %i bits, %s', (bits, range) => {
    const result = quantizeColumns(tensor, { bits, range });
    const expected = Array.from({ length: columns }, (_, c) =>
      quantizeSpan(
        Array.from({ length: rows }, (_, r) => matrix[r * columns + c]!),
        WEIGHT_GRIDS[bits],
        range,
      ),
    );
    expect([...result.scale]).toEqual(expected.map(({ scale }) => scale));
    const integers = Int8Array.from(
      { length: rows * columns },
      (_, i) => expected[i % columns]!.integers[Math.floor(i / columns)]!,
    );
    expect(bytesOf(result.values).equals(bytesOf(integers))).toBe(true);
    const clipped = expected.reduce((sum, span) => sum + span.clipped, 0);
    expect(result.error.clippedShare).toBe(clipped / (rows * columns));
  });

  it.each([
    [8, 'max'],
    [8, 'mse'],
  ] as const)('rows in %i bits, %s', (bits, range) => {
    const { data, scale } = quantizeRows(tensor, { bits, range });
    const expected = Array.from({ length: rows }, (_, r) =>
      quantizeSpan([...matrix.subarray(r * columns, (r + 1) * columns)], WEIGHT_GRIDS[bits], range),
    );
    expect([...scale]).toEqual(expected.map((span) => span.scale));
    const integers = Int8Array.from(expected.flatMap((span) => span.integers));
    expect(bytesOf(data).equals(bytesOf(integers))).toBe(true);
  });
});

describe('a matrix of several strips', () => {
  const [rows, columns] = [40_000, 40]; // 6.4 MB
  const matrix = seededRandom(6).normal(rows * columns);

  it('has the columns that two halves of it have', () => {
    const whole = quantizeColumns(float32Tensor([rows, columns], matrix), { bits: 8, range: 'max' });
    for (const first of [0, columns / 2]) {
      const inHalf = (i: number): number => Math.floor(i / 20) * columns + first + (i % 20);
      const half = Float32Array.from({ length: rows * 20 }, (_, i) => matrix[inHalf(i)]!);
      const { values, scale } = quantizeColumns(float32Tensor([rows, 20], half), { bits: 8, range: 'max' });
      expect(whole.scale.subarray(first, first + 20)).toEqual(scale);
      expect(values.every((value, i) => value === whole.values[inHalf(i)])).toBe(true);
    }
  });

  it('has the rows that two halves of it have', () => {
    const whole = quantizeRows(float32Tensor([rows, columns], matrix), { bits: 8, range: 'max' });
    const parts = [0, 20_000].map((first) =>
      quantizeRows(
        float32Tensor([20_000, columns], matrix.subarray(first * columns, (first + 20_000) * columns)),
        { bits: 8, range: 'max' },
      ),
    );
    expect(bytesOf(whole.data).equals(Buffer.concat(parts.map(({ data }) => bytesOf(data))))).toBe(true);
    expect([...whole.scale]).toEqual(parts.flatMap(({ scale }) => [...scale]));
  });
});
