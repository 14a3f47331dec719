import { describe, expect, it } from 'vitest';
import { float32Tensor, int64Tensor } from '../ir/index.ts';
import { compareOutputs, compareTensors } from './diff.ts';

describe('compareTensors', () => {
  it('measures the difference', () => {
    const result = compareTensors(
      'y',
      float32Tensor([4], [3, 0, -4, 0]),
      float32Tensor([4], [3, 0, -4, 0.5]),
    );
    expect(result).toMatchObject({
      name: 'y',
      maxAbs: 0.5,
      meanAbs: 0.125,
      maxRelative: 0.125,
      notFinite: 0,
    });
    expect(result.sqnrDb).toBeCloseTo(20, 10);
    expect(result.cosine).toBeCloseTo(25 / (5 * Math.sqrt(25.25)), 12);
  });

  it('knows equality, zeros and empty tensors', () => {
    const zeros = float32Tensor([2], [0, 0]);
    const equal = { maxAbs: 0, meanAbs: 0, maxRelative: 0, cosine: 1, sqnrDb: Infinity, notFinite: 0 };
    expect(compareTensors('y', zeros, zeros)).toMatchObject(equal);
    expect(compareTensors('y', float32Tensor([0], []), float32Tensor([0], []))).toMatchObject(equal);
    expect(compareTensors('y', int64Tensor([1], [7]), int64Tensor([1], [7]))).toMatchObject(equal);
    const noise = compareTensors('y', zeros, float32Tensor([2], [0, 1]));
    expect(noise).toMatchObject({ maxAbs: 1, maxRelative: Infinity, cosine: 0, sqnrDb: -Infinity });
  });

  it('counts elements that are not finite on one side only', () => {
    const expected = float32Tensor([4], [NaN, Infinity, 1, 2]);
    const actual = float32Tensor([4], [NaN, -Infinity, NaN, 2]);
    expect(compareTensors('y', expected, actual)).toMatchObject({ notFinite: 2, maxAbs: 0 });
  });
});

describe('compareOutputs', () => {
  const expected = new Map([['a', float32Tensor([2], [1, 2])], ['b', float32Tensor([1], [3])]]); // prettier-ignore

  it('goes by name, in order', () => {
    const actual = new Map([['b', float32Tensor([1], [3])], ['a', float32Tensor([2], [1, 2.5])]]); // prettier-ignore
    expect(compareOutputs(expected, actual).map(({ name, maxAbs }) => [name, maxAbs])).toEqual([['a', 0.5], ['b', 0]]); // prettier-ignore
  });

  it('refuses missing outputs and other shapes', () => {
    expect(() => compareOutputs(expected, new Map())).toThrow('The output "a" is missing');
    const reshaped = new Map([['a', float32Tensor([1, 2], [1, 2])]]);
    expect(() => compareOutputs(expected, reshaped)).toThrow('[1, 2] instead of [2]');
  });
});
