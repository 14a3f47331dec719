import type { PairGroup } from './int8-tile.ts';

const LARGEST_ACTIVATION = 255;
const LARGEST_I16 = 32767;

/**
 * How many neighbouring k-steps (of 4 k) the `pairs` mode may add up in 16 bits before it widens the sums, for weights
 * [k][n]: the largest g for which no lane (two neighbouring k of each of g steps, one column) can leave the range of
 * an i16 whatever the activations are. More is faster: the widening takes as long as a product.
 */
export function pairGroupOf(weights: Int8Array, k: number, n: number): PairGroup {
  if (fits(weights, k, n, 4)) return 4;
  return fits(weights, k, n, 2) ? 2 : 1;
}

function fits(weights: Int8Array, k: number, n: number, group: number): boolean {
  const positive = new Int32Array(2 * n);
  const negative = new Int32Array(2 * n);
  for (let start = 0; start < k; start += 4 * group) {
    positive.fill(0);
    negative.fill(0);
    for (let row = start; row < Math.min(k, start + 4 * group); row++) {
      const lane = ((row >> 1) & 1) * n;
      for (let column = 0; column < n; column++) {
        const weight = weights[row * n + column] as number;
        const sums = weight > 0 ? positive : negative;
        sums[lane + column] = (sums[lane + column] as number) + weight;
      }
    }
    if (positive.some((sum) => LARGEST_ACTIVATION * sum > LARGEST_I16)) return false;
    if (negative.some((sum) => LARGEST_ACTIVATION * sum < -LARGEST_I16 - 1)) return false;
  }
  return true;
}
