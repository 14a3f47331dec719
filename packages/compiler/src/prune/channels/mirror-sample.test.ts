import { expect, it } from 'vitest';
import { float32Tensor, int64Tensor, typedData, type DenseTensor } from '../../ir/index.ts';
import type { Sample } from '../../quantize/index.ts';
import { mirrorSample } from './mirror-sample.ts';

const picture = (dims: readonly number[], values: readonly number[]): Sample =>
  new Map([['image', float32Tensor(dims, Float32Array.from(values))]]);

const numbersOf = (sample: Sample): number[] =>
  [...typedData(sample.get('image') as DenseTensor)].map(Number);

it('turns rows round, of maps and of pixels', () => {
  const maps = mirrorSample(picture([1, 2, 1, 3], [1, 2, 3, 4, 5, 6]), 3);
  expect(numbersOf(maps)).toEqual([3, 2, 1, 6, 5, 4]);
  expect(maps.get('image')!.dims).toEqual([1, 2, 1, 3]);
  const pixels = mirrorSample(picture([1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), 2);
  expect(numbersOf(pixels)).toEqual([3, 4, 1, 2, 7, 8, 5, 6]);
});

it('says which input cannot be mirrored', () => {
  expect(() => mirrorSample(picture([2], [1, 2]), 3)).toThrow("'image' (2) has no floats along axis 3");
  const ids = new Map([['ids', int64Tensor([1, 2], [1, 2])]]);
  expect(() => mirrorSample(ids, 1)).toThrow("'ids' (1×2) has no floats along axis 1");
});
