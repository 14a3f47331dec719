import type { Pooling } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Tensor } from '../session/session.ts';

/** Norms below this are taken for zero; the bound that PyTorch's `normalize` uses. */
const MIN_NORM = 1e-12;

/**
 * One vector from token rows [1, tokens, size]: their mean, or the first row. Texts run without padding, so every
 * row is a kept token. An output [1, size] is a vector already.
 */
export function pool({ shape, data }: Tensor, pooling: Pooling): Float32Array {
  const size = shape.at(-1) ?? 0;
  if (shape.length === 2) return Float32Array.from(data);
  if (shape.length !== 3) {
    throw new RuntimeError('bad-package', `token rows are [1, tokens, size], not [${shape.join(', ')}]`);
  }
  if (pooling === 'cls') return Float32Array.from(data.subarray(0, size));
  const sums = new Float64Array(size);
  for (let index = 0; index < data.length; index++) {
    sums[index % size] = (sums[index % size] ?? 0) + (data[index] ?? 0);
  }
  const tokens = data.length / size;
  return Float32Array.from(sums, (sum) => sum / tokens);
}

/** Scales to length 1; a zero vector stays zero. */
export function normalizeInPlace(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  const scale = 1 / Math.max(norm, MIN_NORM);
  for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) * scale;
  return vector;
}
