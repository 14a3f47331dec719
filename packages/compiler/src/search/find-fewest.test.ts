import { describe, expect, it } from 'vitest';
import { findFewest } from './find-fewest.ts';

describe('findFewest', () => {
  it.each([
    [12, 4, [6, 3, 4], 4],
    [12, 1, [6, 3, 1], 1],
    [12, 12, [6, 9, 10, 11], undefined],
    [2, 1, [1], 1],
    [1, 1, [], undefined],
    [0, 0, [], undefined],
  ])('of %d where it holds from %d tries %j', async (all, least, attempts, expected) => {
    const { fewest, tried } = await findFewest(all, (count) => Promise.resolve(count >= least));
    expect(tried).toEqual(attempts);
    expect(fewest).toBe(expected);
  });
});
