import { expect } from 'vitest';

/** An element passes when |actual - expected| <= abs + rel * |expected|. Both are 0 when left out: exact. */
export interface Tolerance {
  abs?: number;
  rel?: number;
}

export interface WorstDifference {
  index: number;
  actual: number;
  expected: number;
  difference: number;
  /** What `difference` may be at this element. */
  allowed: number;
  /** How many elements are out of tolerance. */
  failing: number;
}

type Numbers = ArrayLike<number | bigint>;

/**
 * Compares whole tensors and fails with the worst element. NaN equals NaN, infinities equal themselves.
 * Pass the seed of the inputs: a failure prints it, so that it can become a named test.
 */
export function expectTensorClose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance & { seed?: number; label?: string } = {},
): void {
  const { seed, label = 'tensor' } = tolerance;
  const suffix = seed === undefined ? '' : ` (seed ${seed})`;
  if (actual.length !== expected.length) {
    expect.fail(`${label}: ${actual.length} elements instead of ${expected.length}${suffix}`);
  }
  const worst = worstDifference(actual, expected, tolerance);
  if (!worst || worst.failing === 0) return;
  expect.fail(
    `${label}: ${worst.failing} of ${actual.length} elements out of tolerance; worst at index ${worst.index}: ` +
      `${worst.actual} instead of ${worst.expected}, off by ${worst.difference}, allowed ${worst.allowed}${suffix}`,
  );
}

/** The element furthest from its allowance; undefined for empty tensors. Lengths must be equal. */
export function worstDifference(
  actual: Numbers,
  expected: Numbers,
  { abs = 0, rel = 0 }: Tolerance = {},
): WorstDifference | undefined {
  let worst: WorstDifference | undefined;
  let worstExcess = -Infinity;
  let failing = 0;
  for (let index = 0; index < expected.length; index++) {
    const a = Number(actual[index]);
    const e = Number(expected[index]);
    const allowed = Number.isFinite(e) ? abs + rel * Math.abs(e) : 0;
    const difference = Object.is(a, e) || a === e ? 0 : Math.abs(a - e);
    // A NaN or infinity on one side only makes the difference NaN or infinite: out of any tolerance.
    const excess = Number.isNaN(difference) ? Infinity : difference - allowed;
    if (excess > 0) failing++;
    if (excess > worstExcess || !worst) {
      worstExcess = excess;
      worst = { index, actual: a, expected: e, difference, allowed, failing: 0 };
    }
  }
  if (worst) worst.failing = failing;
  return worst;
}
