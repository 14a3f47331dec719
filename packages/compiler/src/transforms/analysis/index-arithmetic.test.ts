import { describe, expect, it } from 'vitest';
import { divide, flatten, isNonNegative, unflatten } from './index-arithmetic.ts';

const coordinates = new Map<string, number | string>([
  ['b', 'batch'],
  ['h', 12],
  ['s', 'seq'],
  ['d', 64],
]);

describe('isNonNegative', () => {
  it.each([
    ['batch-1', true],
    ['batch-2', false],
    ['seq-1-s', true],
    ['seq-s', true],
    ['s-seq', false],
    ['s-1', false],
    ['63-d', true],
    ['62-d', false],
    ['batch*seq-seq*b-s-1', true],
    [-1, false],
    [0, true],
  ])('%s: %s', (index, expected) => {
    // Terms may come in any order here; the polynomials are read by the dimension functions.
    expect(isNonNegative(index, coordinates)).toBe(expected);
  });
});

describe('divide', () => {
  it.each([
    ['12*b+h', 12, { quotient: 'b', remainder: 'h' }],
    ['64*h+d', 64, { quotient: 'h', remainder: 'd' }],
    ['seq*b+s', 'seq', { quotient: 'b', remainder: 's' }],
    ['768*seq*b+768*s+64*h+d', '768*seq', { quotient: 'b', remainder: '768*s+64*h+d' }],
    ['2*seq+s', 'seq', { quotient: 2, remainder: 's' }],
    [17, 5, { quotient: 3, remainder: 2 }],
    ['s', 1, { quotient: 's', remainder: 0 }],
  ])('%s by %s', (index, divisor, expected) => {
    const result = divide(index, divisor, coordinates);
    expect(result?.quotient).toBe(expected.quotient);
    expect(result && unorder(result.remainder)).toBe(unorder(expected.remainder));
  });

  it('refuses what does not separate', () => {
    expect(divide('64*h+d', 12, coordinates)).toBeUndefined();
    expect(divide('2*d', 64, coordinates)).toBeUndefined();
    expect(divide('s', 'batch', coordinates)).toBeUndefined();
    expect(divide('s*s', 'seq', coordinates)).toBeUndefined();
  });
});

describe('flatten and unflatten', () => {
  it('are inverse', () => {
    const shape = ['batch', 'seq', 12, 64];
    const position = flatten(['b', 's', 'h', 'd'], shape);
    expect(unflatten(position ?? -1, shape, coordinates)).toEqual(['b', 's', 'h', 'd']);
  });

  it('join heads, and skip extents of 1', () => {
    const position = flatten(['b', 's', 'h', 'd'], ['batch', 'seq', 12, 64]) ?? -1;
    const joined = unflatten(position, ['batch', 1, 'seq', 768], coordinates);
    expect(joined?.map(unorder)).toEqual(['b', 0, 's', unorder('64*h+d')]);
  });

  it('do not mix up axes of other extents', () => {
    const position = flatten(['b', 's', 'h', 'd'], ['batch', 'seq', 12, 64]) ?? -1;
    expect(unflatten(position, ['batch', 64, 12, 'seq'], coordinates)).toBeUndefined();
  });
});

/** Canonical text orders terms by degree and name; the order is not what is tested here. */
function unorder(index: number | string): number | string {
  return typeof index === 'number'
    ? index
    : index
        .split('+')
        .toSorted((a, b) => a.localeCompare(b))
        .join('+');
}
