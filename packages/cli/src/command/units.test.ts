import { describe, expect, it } from 'vitest';
import { oneOf, parseBytes, parseMilliseconds, parsePoints, wholeNumber, listOf, orWord } from './units.ts';

describe('units', () => {
  it.each([
    ['3MB', 3_000_000],
    ['64MiB', 67_108_864],
    ['1.5 kB', 1500],
    ['.5KiB', 512],
    ['512', 512],
    ['2gb', 2e9],
  ])('size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    ['20ms', 20],
    ['1.5s', 1500],
    ['7', 7],
  ])('time %s', (text, ms) => expect(parseMilliseconds(text)).toBe(ms));

  it('drops are points', () => {
    expect(parsePoints('0.5%')).toBeCloseTo(0.005, 15);
    expect(parsePoints('0 %')).toBe(0);
    expect(() => parsePoints('0.5')).toThrow("'0.5' is ambiguous");
  });

  it.each(['', 'MB', '-1MB', '1e6', '1,5MB', '3MB!', 'NaN'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow('is not a size');
  });

  it('refuses other units, numbers out of range and unknown words', () => {
    expect(() => parseBytes('3ms')).toThrow("'ms' is no unit of size");
    expect(() => parseMilliseconds('3MB')).toThrow("'MB' is no unit of time");
    expect(() => wholeNumber(1, 9)('10')).toThrow("'10' is not a whole number from 1 to 9");
    expect(() => wholeNumber(0, 9)('1.5')).toThrow('not a whole number');
    expect(() => oneOf(['a', 'b'])('c')).toThrow("'c' is not known: choose a, b");
  });

  it('lists of words, and a word in place of a number', () => {
    expect(listOf(['a', 'b', 'c'])('c, a,c')).toEqual(['c', 'a']);
    expect(() => listOf(['a', 'b'])('a,d')).toThrow("'d' is not known: choose a, b");
    expect(orWord('auto', wholeNumber(1, 9))('auto')).toBe('auto');
    expect(orWord('auto', wholeNumber(1, 9))('7')).toBe(7);
    expect(() => orWord('auto', wholeNumber(1, 9))('all')).toThrow("'all' is not a whole number");
  });
});
