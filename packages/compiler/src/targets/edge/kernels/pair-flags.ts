import { roundUp } from './vector-code.ts';

const LARGEST_ACTIVATION = 255;
const LARGEST_I16 = 32767;
const PANEL_COLUMNS = 8;

/** Flags in one word; the bit above the last flag is set and ends the word. */
export const PAIR_FLAGS_PER_WORD = 31;

/** Words of one panel of weights with k rows. */
export function pairFlagWords(k: number): number {
  return Math.ceil(stepPairs(k) / PAIR_FLAGS_PER_WORD);
}

/** A step is four k; a last step without partner is none. */
function stepPairs(k: number): number {
  return Math.floor(roundUp(k, 4) / 8);
}

/**
 * Which neighbouring steps the `pairs` mode may add up in 16 bits before it widens the sums, for 7-bit weights
 * [k][n]: u32 words [n/8][pairFlagWords(k)], a bit per pair of steps, lowest first. It is set when no lane (two
 * neighbouring k of both steps, one of the panel's eight columns) can leave the range of an i16 whatever the
 * activations are. Widening takes as long as a product, so a set bit saves a quarter of the multiplier's work; trained
 * weights with one scale per column set about 94 % of them.
 */
export function packPairFlags(weights: Int8Array, k: number, n: number): Uint32Array {
  const words = pairFlagWords(k);
  const pairs = stepPairs(k);
  const flags = new Uint32Array((words * roundUp(n, PANEL_COLUMNS)) / PANEL_COLUMNS);
  for (let panel = 0; panel * PANEL_COLUMNS < n; panel++) {
    const columns = Math.min(n - panel * PANEL_COLUMNS, PANEL_COLUMNS);
    for (let word = 0; word < words; word++) {
      const count = Math.min(pairs - word * PAIR_FLAGS_PER_WORD, PAIR_FLAGS_PER_WORD);
      let bits = 2 ** count;
      for (let index = 0; index < count; index++) {
        const row = (word * PAIR_FLAGS_PER_WORD + index) * 8;
        if (fits(weights, k, n, row, panel * PANEL_COLUMNS, columns)) bits += 2 ** index;
      }
      flags[panel * words + word] = bits;
    }
  }
  return flags;
}

/** Whether the sums of rows row…row+7 of some columns fit: lane 0 has rows 0, 1, 4, 5 of them, lane 1 the others. */
function fits(
  weights: Int8Array,
  k: number,
  n: number,
  row: number,
  column: number,
  columns: number,
): boolean {
  for (let c = column; c < column + columns; c++) {
    for (let lane = 0; lane < 4; lane += 2) {
      let positive = 0;
      let negative = 0;
      for (let index = 0; index < 4; index++) {
        const at = row + lane + (index & 1) + (index & 2) * 2;
        const weight = at < k ? weights[at * n + c]! : 0;
        if (weight > 0) positive += weight;
        else negative += weight;
      }
      if (LARGEST_ACTIVATION * positive > LARGEST_I16) return false;
      if (LARGEST_ACTIVATION * negative < -LARGEST_I16 - 1) return false;
    }
  }
  return true;
}
