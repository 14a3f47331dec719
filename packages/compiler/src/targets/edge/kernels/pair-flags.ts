import { LARGEST_PAIR } from '../../../quantize/grids/integer-grid.ts';
import { roundUp } from './vector-code.ts';

/**
 * How mode `pairs` multiplies a weight, by what its numbers allow: not at all; a step of four k at a time, where no two
 * neighbouring products leave an i16; two steps, where their flag says so.
 */
export type PairForm = 'none' | 'single' | 'fused';

/** The form for a weight [k][n]: 7-bit weights are worth their flags. */
export function pairFormOf(values: Int8Array, n: number): PairForm {
  if (fitSevenBits(values)) return 'fused';
  return fitPairs(values, n) ? 'single' : 'none';
}

/** Whether all values lie in [-64, 63]: then each byte's two upper bits are alike. Four bytes at a time. */
function fitSevenBits({ buffer, byteOffset, length }: Int8Array): boolean {
  const unaligned = Math.min(-byteOffset & 3, length);
  const words = new Int32Array(buffer, byteOffset + unaligned, (length - unaligned) >> 2);
  const rest = (length - unaligned) & 3;
  let differences = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    differences |= word ^ (word << 1);
  }
  for (const byte of new Int8Array(buffer, byteOffset, unaligned)) differences |= byte ^ (byte << 1);
  for (const byte of new Int8Array(buffer, byteOffset + length - rest, rest))
    differences |= byte ^ (byte << 1);
  return (differences & 0x80808080) === 0;
}

/** Whether rows 2i and 2i + 1 never sum to more than LARGEST_PAIR where their signs are the same. */
function fitPairs(values: Int8Array, n: number): boolean {
  for (let row = 0; row + 2 * n <= values.length; row += 2 * n) {
    for (let at = row; at < row + n; at++) {
      const [a, b] = [values[at]!, values[at + n]!];
      if (a < 0 === b < 0 && Math.abs(a + b) > LARGEST_PAIR) return false;
    }
  }
  return true;
}

// Which neighbouring steps (four k each) the `pairs` mode may add up in 16 bits before it widens the sums, in form `fused`: u32 words [n/8][pairFlagWords(k)], a bit per pair of steps, lowest first. It is set when no lane (two
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
