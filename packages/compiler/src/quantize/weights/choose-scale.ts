import { roundHalfEven, type IntegerGrid } from '../grids/integer-grid.ts';

/** `max`: the largest weight lies on the grid's end. `mse`: the scale with the least squared error, which may clip. */
export type WeightRange = 'max' | 'mse';

/** Scales below this are useless (their inverse overflows float32): such a channel counts as all zero. */
export const SMALLEST_SCALE: number = 2 ** -120;

/** A run of numbers that share one scale: `values[from]` … `values[to - 1]`. */
export interface Span {
  readonly values: Float32Array;
  readonly from: number;
  readonly to: number;
}

/** The least float32 scale that clips nothing; 0 when all numbers are 0. */
export function fullScale({ values, from, to }: Span, grid: IntegerGrid): number {
  let least = 0;
  let largest = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value > largest) largest = value;
    else if (value < least) least = value;
  }
  return unclippedScale(least, largest, grid);
}

/** The least float32 scale that clips no number of [least, largest], a range around 0. */
export function unclippedScale(least: number, largest: number, { low, high }: IntegerGrid): number {
  return Math.fround(Math.max(largest / high, least / low));
}

/** Σ importance·(x − scale·q)² with q the nearest integer of the grid. */
export function squaredError(
  { values, from, to }: Span,
  scale: number,
  { low, high }: IntegerGrid,
  importance: Float32Array,
): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = from; i < to; i++) {
    const exact = values[i]! * inverse;
    let q = roundHalfEven(exact);
    if (q > high) q = high;
    else if (q < low) q = low;
    const difference = exact - q;
    sum += difference * difference * importance[i - from]!;
  }
  return sum * scale * scale;
}
