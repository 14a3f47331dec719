import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { matmul } from './matrix-multiply.ts';
import { ndArray } from './nd-array.ts';

describe('matmul', () => {
  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [4, 8, 2],
    [9, 1, 3],
    [6, 0, 2],
    [5, 300, 130],
    [64, 64, 64],
    [300, 50, 33],
    [3, 1500, 1100],
  ])('of %dx%d by %d columns equals the textbook sum', (m, k, n) => {
    const random = seededRandom(m * 100 + k * 10 + n);
    const [a, b] = [random.normal(m * k), random.normal(k * n)];
    if (n > 100) [a[7], a[m * k - 1], b[n]] = [Infinity, -0, NaN];
    const expected = Float32Array.from({ length: m * n }, (_, i) => {
      let sum = 0;
      for (let t = 0; t < k; t++) sum += (a[Math.floor(i / n) * k + t] ?? 0) * (b[t * n + (i % n)] ?? 0);
      return sum;
    });
    expect(matmul(ndArray('float32', [m, k], a), ndArray('float32', [k, n], b)).data).toEqual(expected);
  });

  it('broadcasts leading dims and takes vectors', () => {
    const a = ndArray('float32', [2, 1, 1, 2], Float32Array.of(1, 2, 3, 4));
    const b = ndArray('float32', [3, 2, 1], Float32Array.of(1, 0, 0, 1, 1, 1));
    const product = matmul(a, b);
    expect(product.dims).toEqual([2, 3, 1, 1]);
    expect([...product.data]).toEqual([1, 2, 3, 3, 4, 7]);
    const vector = ndArray('float32', [2], Float32Array.of(1, 10));
    expect(matmul(vector, ndArray('float32', [2, 2], Float32Array.of(1, 2, 3, 4)))).toEqual(
      ndArray('float32', [2], Float32Array.of(31, 42)),
    );
    expect(matmul(vector, vector)).toEqual(ndArray('float32', [], Float32Array.of(101)));
  });

  it('is exact for integers and refuses shapes that do not fit', () => {
    const bytes = ndArray('int8', [1, 2], Int8Array.of(-128, 127));
    expect(matmul(bytes, ndArray('int8', [2, 1], Int8Array.of(127, -128)), 'int32').data).toEqual(
      Int32Array.of(-32512),
    );
    expect(() => matmul(bytes, bytes)).toThrow('[1, 2] times [1, 2]');
  });
});
