import { roundUp } from './vector-code.ts';

// Which neighbouring steps (four k each) the `pairs` mode may add up in 16 bits before it widens the sums, for 7-bit
// weights: u32 words [n/8][pairFlagWords(k)], a bit per pair of steps, lowest first. It is set when no lane (two
// neighbouring k of both steps, one of the panel's eight columns) can leave the range of an i16 whatever the activations
// are. Widening takes as long as a product, so a set bit saves a quarter of the multiplier's work; trained weights with
// one scale per column set about 94 % of them. `packInt8` makes them.

/** Flags in one word; the bit above the last flag is set and ends the word. */
export const PAIR_FLAGS_PER_WORD = 31;

/** Words of one panel of weights with k rows. */
export function pairFlagWords(k: number): number {
  // A last step without partner is none.
  return Math.ceil(Math.floor(roundUp(k, 4) / 8) / PAIR_FLAGS_PER_WORD);
}
