import { expect, it } from 'vitest';
import { truncatePair } from './truncate-pair.ts';

it.each([
  ['nothing to cut', [3, 4, 7], [3, 4]],
  ['only the second is too long', [2, 30, 10], [2, 8]],
  ['only the first is too long', [30, 2, 10], [8, 2]],
  ['both, equally long: the second gets the odd token', [20, 20, 9], [4, 5]],
  ['both, the first longer: it gets the odd token', [21, 20, 9], [5, 4]],
  ['no room', [3, 4, 0], [0, 0]],
  ['one token', [0, 4, 1], [0, 1]],
] as const)('%s', (_, [first, second, limit], kept) => {
  expect(truncatePair(first, second, limit)).toEqual(kept);
});
