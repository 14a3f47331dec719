import { describe, expect, it } from 'vitest';
import { expectTensorClose } from './tensor-close.ts';

describe('expectTensorClose', () => {
  it('passes inside abs + rel * |expected|', () => {
    expectTensorClose([1.01, 100.9], [1, 100], { abs: 0.01, rel: 0.01 });
    expectTensorClose([NaN, Infinity, 0], [NaN, Infinity, -0]);
    expectTensorClose([], []);
    expectTensorClose(BigInt64Array.of(3n), BigInt64Array.of(3n));
  });

  it('names the worst element, its index and the seed', () => {
    expect(() => expectTensorClose([1, 2.5, 3.2], [1, 2, 3], { abs: 0.1, seed: 42 })).toThrow(
      'tensor: 2 of 3 elements out of tolerance; worst at index 1: 2.5 instead of 2, off by 0.5, allowed 0.1 (seed 42)',
    );
  });

  it.each([
    ['NaN', [NaN], [1]],
    ['an unexpected number', [1], [NaN]],
    ['an infinity', [Infinity], [1]],
    ['a finite number for an infinity', [1e38], [Infinity]],
    ['the other infinity', [-Infinity], [Infinity]],
    ['another length', [1, 2], [1]],
  ])('fails on %s, however wide the tolerance', (_, actual, expected) => {
    expect(() => expectTensorClose(actual, expected, { abs: 1e9, rel: 1e9 })).toThrow('tensor: ');
  });
});
