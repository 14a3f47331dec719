import { roundHalfEven, type IntegerGrid } from './integer-grid.ts';

/** `max`: the largest weight lies on the grid's end. `mse`: the scale with the least squared error, which may clip. */
export type WeightRange = 'max' | 'mse';

/** Scales below this are useless (their inverse overflows float32): such a channel counts as all zero. */
export const SMALLEST_SCALE: number = 2 ** -120;

/** One step of the search for a smaller scale, and how many steps without gain end it. */
const SEARCH_STEP = 0.97;
const SEARCH_PATIENCE = 2;

/** A run of numbers that share one scale: `values[from]` … `values[to - 1]`. */
export interface Span {
  readonly values: Float32Array;
  readonly from: number;
  readonly to: number;
}

/**
 * The float32 scale for numbers stored as integers of the grid times the scale; 1 when all of them are zero.
 * `importance[i − from]` weighs the squared error of element i.
 */
export function chooseScale(
  span: Span,
  grid: IntegerGrid,
  range: WeightRange,
  importance: Float32Array,
): number {
  const full = fullScale(span, grid);
  if (full < SMALLEST_SCALE) return 1;
  if (range === 'max') return full;
  let best = full;
  let least = squaredError(span, full, grid, importance);
  for (let scale = full * SEARCH_STEP, failures = 0; failures < SEARCH_PATIENCE; scale *= SEARCH_STEP) {
    const error = squaredError(span, scale, grid, importance);
    if (error < least) {
      least = error;
      best = scale;
      failures = 0;
    } else {
      failures++;
    }
  }
  return Math.fround(best);
}

/** The least float32 scale that clips nothing; 0 when all numbers are 0. */
export function fullScale({ values, from, to }: Span, { low, high }: IntegerGrid): number {
  let least = 0;
  let largest = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value > largest) largest = value;
    else if (value < least) least = value;
  }
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
