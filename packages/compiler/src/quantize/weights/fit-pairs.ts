import { LARGEST_PAIR, roundHalfEven, WEIGHT_GRIDS } from '../grids/integer-grid.ts';

/** A row-major weight [rows, columns] with one scale per column. */
export interface PairedWeight {
  readonly floats: Float32Array;
  /** What they were rounded to, in 8 bits. */
  readonly values: Int8Array;
  /** One per column. */
  readonly scale: Float32Array;
  /** Rows from one input channel to the next: the positions of a convolution's kernel, 1 of a matrix. */
  readonly taps: number;
}

/** One step of the search for a larger scale. */
const SEARCH_STEP = 1.05;

/**
 * Makes 8-bit weights such that the products of neighbouring input channels can be summed in 16 bits whatever the activations are, which
 * CPUs do without VNNI: where two neighbours have one sign, they sum to at most LARGEST_PAIR. Columns where they sum to more get the
 * scale with the least squared error, from the one they have up to one that needs no other change; with a smaller one both neighbours
 * give way. Changes `values` and `scale`.
 */
export function fitPairs(weight: PairedWeight): void {
  const { floats, values, scale, taps } = weight;
  const columns = scale.length;
  const column = new Float32Array(floats.length / columns);
  const integers = new Int8Array(column.length);
  const best = new Int8Array(column.length);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < column.length; i++) {
      column[i] = floats[i * columns + c]!;
      integers[i] = values[i * columns + c]!;
    }
    if (settle(column, integers, scale[c]!, taps) === 0) continue;
    let [least, chosen] = [Infinity, scale[c]!];
    let changed = 1;
    for (let step = scale[c]!; changed > 0; step = Math.fround(step * SEARCH_STEP)) {
      roundTo(column, step, integers);
      changed = settle(column, integers, step, taps);
      const error = squaredError(column, integers, step);
      if (error >= least) continue;
      [least, chosen] = [error, step];
      best.set(integers);
    }
    scale[c] = chosen;
    for (let i = 0; i < column.length; i++) values[i * columns + c] = best[i]!;
  }
}

/** The same with the scales as they are, for weights that were rounded in another way. */
export function settlePairs({ floats, values, scale, taps }: PairedWeight): void {
  const columns = scale.length;
  const rows = floats.length / columns;
  forEachPair(rows, taps, (first, second) => {
    for (let c = 0; c < columns; c++)
      settlePair(floats, values, first * columns + c, second * columns + c, scale[c]!);
  });
}

function forEachPair(rows: number, taps: number, visit: (first: number, second: number) => void): void {
  for (let channel = 0; channel + 2 * taps <= rows; channel += 2 * taps)
    for (let first = channel; first < channel + taps; first++) visit(first, first + taps);
}

/** How many pairs of a column had to be changed. */
function settle(floats: Float32Array, values: Int8Array, scale: number, taps: number): number {
  let changed = 0;
  forEachPair(floats.length, taps, (first, second) => {
    if (settlePair(floats, values, first, second, scale)) changed++;
  });
  return changed;
}

/** The nearest two whole numbers that fit together. */
function settlePair(
  floats: Float32Array,
  values: Int8Array,
  first: number,
  second: number,
  scale: number,
): boolean {
  const [a, b] = [values[first]!, values[second]!];
  if (a < 0 !== b < 0 || Math.abs(a + b) <= LARGEST_PAIR) return false;
  const sign = a < 0 ? -1 : 1;
  const [x, y] = [(sign * floats[first]!) / scale, (sign * floats[second]!) / scale];
  const magnitude = Math.max(1, Math.min(LARGEST_PAIR - 1, roundHalfEven((x + LARGEST_PAIR - y) / 2)));
  values[first] = sign * magnitude;
  values[second] = sign * (LARGEST_PAIR - magnitude);
  return true;
}

function roundTo(floats: Float32Array, scale: number, values: Int8Array): void {
  const { low, high } = WEIGHT_GRIDS[8];
  for (let i = 0; i < floats.length; i++)
    values[i] = Math.max(low, Math.min(high, roundHalfEven(floats[i]! / scale)));
}

function squaredError(floats: Float32Array, values: Int8Array, scale: number): number {
  let sum = 0;
  for (let i = 0; i < floats.length; i++) sum += (floats[i]! - values[i]! * scale) ** 2;
  return sum;
}
