import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { fitPairs, settlePairs } from './fit-pairs.ts';
import { quantizeColumns } from './quantize-columns.ts';
import { float32Tensor } from '../../ir/index.ts';
import { pairFormOf } from '../../targets/edge/kernels/index.ts';

const ROWS = 24;
const COLUMNS = 6;

function errorOf(floats: Float32Array, values: Int8Array, scale: Float32Array): number {
  return floats.reduce((sum, value, at) => sum + (value - values[at]! * scale[at % COLUMNS]!) ** 2, 0);
}

function quantized(seed: number, bits: 7 | 8) {
  const random = seededRandom(seed);
  const floats = random.normal(ROWS * COLUMNS);
  return {
    floats,
    ...quantizeColumns(float32Tensor([ROWS, COLUMNS], floats) as never, { bits, range: 'mse' }),
  };
}

describe('fitPairs', () => {
  it.each([1, 2, 3, 4, 5])('makes weights for pair sums, nearer than 7 bits, seed %i', (seed) => {
    const { floats, values, scale } = quantized(seed, 8);
    const before = errorOf(floats, values, scale);
    expect(pairFormOf(values, COLUMNS)).toBe('none');
    fitPairs({ floats, values, scale, taps: 1 });
    expect(pairFormOf(values, COLUMNS)).toBe('single');
    const seven = quantized(seed, 7);
    const after = errorOf(floats, values, scale);
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThan(errorOf(floats, seven.values, seven.scale));
  });

  it('leaves columns alone that fit', () => {
    const floats = Float32Array.of(127, 1, -100, 100, 64, 64);
    const [values, scale] = [Int8Array.from(floats), Float32Array.of(1)];
    fitPairs({ floats, values, scale, taps: 1 });
    expect([...values]).toEqual([...floats]);
    expect(scale[0]).toBe(1);
  });

  it('pairs channels, not the positions of a kernel', () => {
    const floats = Float32Array.of(127, 127, 1, -127, 100, 100);
    const [values, scale] = [Int8Array.from(floats), Float32Array.of(1)];
    settlePairs({ floats, values, scale, taps: 2 });
    expect([...values]).toEqual([...floats]);
    settlePairs({ floats, values, scale, taps: 3 });
    expect([...values]).toEqual([127, 78, 1, -127, 50, 100]);
  });
});
