import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { ErrorTally } from '../grids/quantization-error.ts';
import { refineRounding } from './refine-rounding.ts';
import { roundSecondOrder, type RowGrids } from './round-second-order.ts';
import { SecondMoments } from '../statistics/second-moments.ts';
import { DAMPING, dampedMoments, unitFactor } from './unit-factor.ts';

/** Rows of correlated features: sums of a few sources, and a feature that is always zero. */
function features(seed: number, width: number, count: number): Float32Array {
  const random = seededRandom(seed);
  const sources = Math.max(1, Math.ceil(width / 3));
  const mixing = random.normal(sources * width);
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const source = random.normal(sources);
    const own = random.normal(width, 0, 0.2);
    for (let i = 1; i < width; i++) {
      let sum = own[i]!;
      for (let s = 0; s < sources; s++) sum += source[s]! * mixing[s * width + i]!;
      rows[row * width + i] = sum;
    }
  }
  return rows;
}

/** The whole of a symmetric matrix of which the upper triangle is given, with GPTQ's damping. */
function damped(upper: Float64Array, width: number): number[][] {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += upper[i * width + i]!;
  return Array.from({ length: width }, (_, i) =>
    Array.from(
      { length: width },
      (__, j) => upper[Math.min(i, j) * width + Math.max(i, j)]! + (i === j ? (DAMPING * trace) / width : 0),
    ),
  );
}

function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < size; k++) {
    const pivot = work[k]![k]!;
    work[k] = work[k]!.map((value) => value / pivot);
    for (let i = 0; i < size; i++) {
      const factor = work[i]![k]!;
      if (i !== k) work[i] = work[i]!.map((value, j) => value - factor * work[k]![j]!);
    }
  }
  return work.map((row) => row.slice(size));
}

/**
 * GPTQ's optimal brain surgeon as it is written down: round a row, spread its error over those that are left by the inverse of their
 * part of the Hessian. From the last row to the first.
 */
function naive(
  weight: Float32Array,
  columns: number,
  hessian: readonly number[][],
  grids: RowGrids,
): number[] {
  const rows = hessian.length;
  const left = Float64Array.from(weight);
  const values = Array.from(weight, () => 0);
  for (let i = rows - 1; i >= 0; i--) {
    const inverted = inverse(hessian.slice(0, i + 1).map((row) => row.slice(0, i + 1)));
    for (let c = 0; c < columns; c++) {
      const [step, low, high] = [grids.steps[c]!, grids.lows[c]!, grids.highs[c]!];
      const q = Math.max(low, Math.min(high, Math.round(left[i * columns + c]! / step)));
      values[i * columns + c] = q;
      const error = (left[i * columns + c]! - q * step) / inverted[i]![i]!;
      for (let j = 0; j <= i; j++) left[j * columns + c]! -= error * inverted[j]![i]!;
    }
  }
  return values;
}

/** Σ over columns of eᵀ·M·e, e being w − q·step. */
function outputError(
  weight: Float32Array,
  values: ArrayLike<number>,
  columns: number,
  hessian: readonly number[][],
  grids: RowGrids,
): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const errors = hessian.map(
      (_, i) => weight[i * columns + c]! - values[i * columns + c]! * grids.steps[c]!,
    );
    hessian.forEach((row, i) => row.forEach((m, j) => (sum += m * errors[i]! * errors[j]!)));
  }
  return sum;
}

function nearest(weight: Float32Array, columns: number, { steps, lows, highs }: RowGrids): number[] {
  return Array.from(weight, (w, at) => {
    const c = at % columns;
    return Math.max(lows[c]!, Math.min(highs[c]!, Math.round(w / steps[c]!)));
  });
}

describe('roundSecondOrder', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'gives the integers of GPTQ, and less error than the nearest (seed %i)',
    (seed) => {
      const random = seededRandom(seed);
      const [rows, columns] = [random.int(2, 150), random.int(1, 9)];
      const moments = new SecondMoments(rows);
      moments.add(features(seed, rows, 400));
      const weight = random.normal(rows * columns);
      const grids = {
        steps: random.uniform(columns, 0.2, 0.6),
        lows: new Int8Array(columns).fill(-8),
        highs: new Int8Array(columns).fill(7),
      };
      const hessian = damped(moments.matrix(), rows);
      const tally = new ErrorTally();
      const values = roundSecondOrder(
        weight,
        columns,
        unitFactor(moments.matrix(), moments.width),
        () => grids,
        tally,
      );
      const expected = naive(weight, columns, hessian, grids);
      // A number that lies between two integers may fall to the other side in float32, and all that follow it with it.
      const differing = expected.filter((q, i) => q !== values[i]).length;
      expect(differing).toBeLessThanOrEqual(0.02 * expected.length);
      const error = (found: ArrayLike<number>): number => outputError(weight, found, columns, hessian, grids);
      expect(error(values)).toBeLessThan(error(nearest(weight, columns, grids)));
      expect(tally.count).toBe(rows * columns);
      const noise = weight.reduce((sum, w, i) => sum + (w - values[i]! * grids.steps[i % columns]!) ** 2, 0);
      expect(tally.noise).toBeCloseTo(noise, 3);
    },
  );

  it('rounds to the nearest where features have nothing to do with each other', () => {
    const moments = new SecondMoments(4);
    moments.add(Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)));
    const weight = seededRandom(7).normal(12);
    const grids = {
      steps: Float32Array.of(0.3, 0.2, 0.1),
      lows: new Int8Array(3).fill(-64),
      highs: new Int8Array(3).fill(63),
    };
    const values = roundSecondOrder(
      weight,
      3,
      unitFactor(moments.matrix(), moments.width),
      () => grids,
      new ErrorTally(),
    );
    expect([...values]).toEqual(nearest(weight, 3, grids));
  });
});

describe('refineRounding', () => {
  it.each([1, 2, 3, 4])(
    'leaves no single step that would lower the error of the output (seed %i)',
    (seed) => {
      const random = seededRandom(seed);
      const [rows, columns] = [random.int(2, 40), random.int(1, 9)];
      const moments = new SecondMoments(rows);
      moments.add(features(seed, rows, 200));
      const weight = random.normal(rows * columns);
      const grids = {
        steps: random.uniform(columns, 0.2, 0.6),
        lows: new Int8Array(columns).fill(-3),
        highs: new Int8Array(columns).fill(2),
      };
      const gridsOf = (): RowGrids => grids;
      const hessian = damped(moments.matrix(), rows);
      const error = (found: ArrayLike<number>): number => outputError(weight, found, columns, hessian, grids);
      const factor = unitFactor(moments.matrix(), rows);
      const tally = new ErrorTally();
      const values = roundSecondOrder(weight, columns, factor, gridsOf, tally);
      const before = error(values);
      // Three walks at a time: until none finds anything.
      for (let again = 0; again < 5; again++)
        refineRounding(weight, columns, values, dampedMoments(moments), gridsOf, tally);
      const after = error(values);
      expect(after).toBeLessThan(before);
      const noise = weight.reduce((sum, w, i) => sum + (w - values[i]! * grids.steps[i % columns]!) ** 2, 0);
      expect(tally.noise).toBeCloseTo(noise, 3);
      for (let at = 0; at < values.length; at++)
        for (const step of [-1, 1]) {
          const moved = values[at]! + step;
          if (moved < -3 || moved > 2) continue;
          expect(error(values.with(at, moved))).toBeGreaterThan(after * (1 - 1e-4));
        }
    },
  );
});
