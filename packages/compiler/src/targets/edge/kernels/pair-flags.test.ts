import { expect, it } from 'vitest';
import { packPairFlags, pairFlagWords } from './pair-flags.ts';

it('sets a flag as long as 255 times the sum of a lane fits into an i16', () => {
  // Rows 0, 1, 4, 5 are one lane; 255·128 fits, 255·129 does not, and neither does 255·-129.
  const flagsFor = (last: number): number[] => [
    ...packPairFlags(Int8Array.from([32, 32, 0, 0, 32, last, 0, 0]), 8, 1),
  ];
  expect(flagsFor(32)).toEqual([0b11]);
  expect(flagsFor(33)).toEqual([0b10]);
  expect([...packPairFlags(Int8Array.from([-64, -64, 63, 63, -1, 40, 2, 0]), 8, 1)]).toEqual([0b10]);
  expect([...packPairFlags(Int8Array.from([-64, -64, 63, 63, 40, 40, 2, -64]), 8, 1)]).toEqual([0b11]);
});

it('ends each word of a panel with a bit above its last flag; steps without partner have no flag', () => {
  const k = 8 * 33 + 4;
  expect(pairFlagWords(k)).toBe(2);
  expect([...packPairFlags(new Int8Array(k * 9), k, 9)]).toEqual([0xffffffff, 0b111, 0xffffffff, 0b111]);
  expect(packPairFlags(new Int8Array(4), 4, 1)).toHaveLength(0);
});
