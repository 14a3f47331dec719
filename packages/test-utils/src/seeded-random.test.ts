import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.ts';

describe('seededRandom', () => {
  it('gives the published mulberry32 sequence', () => {
    const random = seededRandom(1);
    expect([random(), random(), random()].map((x) => x * 2 ** 32)).toEqual([
      2693262067, 11749833, 2265367787,
    ]);
  });

  it('stays inside its ranges', () => {
    const random = seededRandom(7);
    const ints = Array.from({ length: 1000 }, () => random.int(-2, 2));
    expect(new Set(ints)).toEqual(new Set([-2, -1, 0, 1, 2]));
    expect(random.uniform(1000, 3, 4).every((x) => x >= 3 && x <= 4)).toBe(true);
    const normal = random.normal(20_000, 5, 2);
    const mean = normal.reduce((a, b) => a + b) / normal.length;
    expect(Math.abs(mean - 5)).toBeLessThan(0.1);
  });
});
