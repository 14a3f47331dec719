import { expect, it } from 'vitest';
import { sigmoid, softmax } from './scores.ts';

it('softmax sums to 1 and does not overflow', () => {
  expect(Array.from(softmax([0, Math.log(3)]))).toEqual(
    [0.25, 0.75].map((x) => expect.closeTo(x, 12) as number),
  );
  expect(Array.from(softmax([1e30, -1e30, 1e30]))).toEqual([0.5, 0, 0.5]);
  expect(Array.from(softmax([5]))).toEqual([1]);
});

it('sigmoid takes each by itself', () => {
  expect(Array.from(sigmoid([0, 800, -800]))).toEqual([0.5, 1, 0]);
  expect(sigmoid([1])[0]).toBeCloseTo(0.7310585786300049, 12);
});
