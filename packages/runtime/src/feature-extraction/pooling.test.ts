import { expect, it } from 'vitest';
import { normalizeInPlace, pool } from './pooling.ts';

const rows = { dtype: 'float32', shape: [1, 3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 9) } as const;

it('pools token rows', () => {
  expect(pool(rows, 'mean')).toEqual(Float32Array.of(3, 5));
  expect(pool(rows, 'cls')).toEqual(Float32Array.of(1, 2));
  expect(pool({ ...rows, shape: [1, 6] }, 'mean')).toEqual(rows.data);
  expect(() => pool({ ...rows, shape: [6] }, 'mean')).toThrow('token rows are [1, tokens, size], not [6]');
});

it('scales to length 1 and leaves zero alone', () => {
  expect(normalizeInPlace(Float32Array.of(3, -4))).toEqual(Float32Array.of(0.6, -0.8));
  expect(normalizeInPlace(new Float32Array(3))).toEqual(new Float32Array(3));
});
