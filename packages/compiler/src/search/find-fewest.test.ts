import { describe, expect, it } from 'vitest';
import { findFewest } from './find-fewest.ts';

describe('findFewest', () => {
  it.each([
    [12, 1, [1], 1],
    [12, 3, [1, 2, 4, 3], 3],
    [12, 5, [1, 2, 4, 8, 6, 5], 5],
    [12, 12, [1, 2, 4, 8, 10, 11], undefined],
    [2, 1, [1], 1],
    [1, 1, [], undefined],
    [0, 0, [], undefined],
  ])('of %d where it holds from %d tries %j', async (all, least, attempts, expected) => {
    const { fewest, tried } = await findFewest(all, (count) => Promise.resolve(count >= least));
    expect(tried).toEqual(attempts);
    expect(fewest).toBe(expected);
  });

  it('finds a small number where it does not hold for every larger one', async () => {
    const { fewest, tried } = await findFewest(100, (count) =>
      Promise.resolve(count > 80 || (count > 2 && count < 20)),
    );
    expect(tried).toEqual([1, 2, 4, 3]);
    expect(fewest).toBe(3);
  });
});
