import { expect, it } from 'vitest';
import { poolFeatures } from './pool-features.ts';

it('averages feature maps and leaves vectors and patches to the pooling of rows', () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 10);
  const of = (shape: readonly number[]) => ({ dtype: 'float32', shape, data }) as const;
  expect(poolFeatures(of([1, 2, 2, 2]), 'mean')).toEqual(Float32Array.of(2.5, 7));
  expect(poolFeatures(of([1, 8, 1, 1]), 'mean')).toEqual(data);
  expect(poolFeatures(of([1, 8]), 'mean')).toEqual(data);
  expect(poolFeatures(of([1, 4, 2]), 'cls')).toEqual(Float32Array.of(1, 2));
});
