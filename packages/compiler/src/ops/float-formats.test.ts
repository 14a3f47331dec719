import { describe, expect, it } from 'vitest';
import {
  bfloat16ToNumber,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
  roundHalfEven,
} from './float-formats.ts';

describe('float16', () => {
  it('gives back all bit patterns but NaN payloads', () => {
    const patterns = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const expected = patterns.map((bits) => (Number.isNaN(float16ToNumber(bits)) ? 0x7e00 : bits));
    expect(patterns.map((bits) => numberToFloat16(float16ToNumber(bits)))).toEqual(expected);
  });

  it('rounds to the nearest, ties to even', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (float16ToNumber(bits) + float16ToNumber(bits + 1)) / 2;
      expect(numberToFloat16(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
    }
    expect(numberToFloat16(65519.99)).toBe(0x7bff);
    expect(numberToFloat16(65520)).toBe(0x7c00);
  });
});

describe('bfloat16', () => {
  it('gives back all bit patterns but NaN payloads', () => {
    const patterns = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const expected = patterns.map((bits) => (Number.isNaN(bfloat16ToNumber(bits)) ? 0x7fc0 : bits));
    expect(patterns.map((bits) => numberToBfloat16(bfloat16ToNumber(bits)))).toEqual(expected);
  });

  it('rounds ties to even', () => {
    expect(numberToBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(numberToBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [2.4, 2],
    [-2.6, -3],
  ])('of %d is %d', (value, expected) => {
    expect(roundHalfEven(value)).toBeCloseTo(expected, 12);
  });
});
