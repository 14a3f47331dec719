import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { extent } from './extent.ts';

describe('extent', () => {
  it.each([1, 7, 8, 9, 1000, 2 ** 20 + 5])('is that of %i numbers, wherever the ends lie', (length) => {
    const random = seededRandom(length);
    for (let trial = 0; trial < 4; trial++) {
      const values = random.normal(length, 3 * (trial - 1.5), 1);
      values[random.int(0, length - 1)] = -20;
      values[random.int(0, length - 1)] = 30;
      const [min, max] = values.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [
        Infinity,
        -Infinity,
      ] as [number, number]);
      expect(extent(values)).toEqual({ min, max });
    }
  });

  it('is empty for no numbers', () => {
    expect(extent(new Float32Array())).toEqual({ min: Infinity, max: -Infinity });
  });

  it.each([NaN, Infinity, -Infinity])('refuses %d, wherever it lies', (bad) => {
    for (const place of [0, 3, 8, 20]) {
      const values = new Float32Array(21).fill(1);
      values[place] = bad;
      expect(() => extent(values)).toThrow(/NaN or an infinity/);
    }
  });
});
