import { describe, expect, it } from 'vitest';
import { erf } from './erf.ts';

/** From C's erf (Python's math.erf), one or more per branch. */
const KNOWN: readonly (readonly [number, number])[] = [
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.46, 0.4846553900016797],
  [0.47, 0.4937450508860821],
  [1, 0.8427007929497149],
  [2.5, 0.999593047982555],
  [3.9, 0.9999999652077514],
  [4.1, 0.9999999932999724],
  [5.9, 0.9999999999999999],
];

describe('erf', () => {
  it.each(KNOWN)('of %d', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(2 ** -52 * expected);
    expect(erf(-x)).toBe(-erf(x));
  });

  it('keeps special values', () => {
    expect([erf(0), erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([0, 1, -1, NaN]);
  });
});
