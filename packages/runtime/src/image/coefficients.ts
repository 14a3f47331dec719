import { FILTERS, type FilterName } from './filters.ts';

/** 8 bits of a pixel and 2 of headroom for filters that overshoot leave 22 of 32 for a weight. */
export const PRECISION_BITS: number = 32 - 8 - 2;
/** A weight is `high · 2^15 + low`, so that both fit the 16 bits of a vector's products; the low part is not negative. */
export const LOW_BITS = 15;
const LOW_MASK: number = 2 ** LOW_BITS - 1;

/** For each output pixel of one axis the run of input pixels it is made of, and their fixed-point weights. */
export interface Coefficients {
  /** Input pixels before `first` and from `end` on count for nothing. */
  readonly first: number;
  readonly end: number;
  /** Input pixels of an output pixel; an even number, of which the last may lie behind `end` and weigh nothing. */
  readonly taps: number;
  /** For each output pixel: its first input pixel, then for each pair of taps their low and their high parts, int16. */
  readonly table: Int32Array;
}

/** Axes whose coefficients are kept: a camera's pictures all have the same two. */
const MAX_KEPT = 8;
const kept = new Map<string, Coefficients>();

/** Weights of the output pixels [start, start + count) of an axis resized from `from` to `to` pixels. */
export function coefficientsOf(
  filter: FilterName,
  from: number,
  to: number,
  start: number,
  count: number,
): Coefficients {
  const key = [filter, from, to, start, count].join();
  const known = kept.get(key) ?? compute(filter, from, to, start, count);
  if (kept.size === MAX_KEPT) kept.clear();
  kept.set(key, known);
  return known;
}

/** Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`, in the same order of operations. */
function compute(filter: FilterName, from: number, to: number, start: number, count: number): Coefficients {
  const { support, weight } = FILTERS[filter];
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const reach = support * filterScale;
  const inverse = 1 / filterScale;
  const taps = 2 * (Math.ceil(reach) + 1);
  const table = new Int32Array(count * (1 + taps));
  const halves = new Int16Array(table.buffer);
  const exact = new Float64Array(taps);
  let first = from;
  let end = 0;
  for (let index = 0; index < count; index++) {
    const center = (start + index + 0.5) * scale;
    const left = Math.max(Math.trunc(center - reach + 0.5), 0);
    const right = Math.min(Math.trunc(center + reach + 0.5), from);
    let sum = 0;
    for (let tap = 0; tap < right - left; tap++) {
      sum += exact[tap] = weight((tap + left - center + 0.5) * inverse);
    }
    const row = index * (1 + taps);
    table[row] = left;
    for (let tap = 0; tap < right - left; tap++) {
      const share = exact[tap] as number;
      const fixed = toFixed(sum === 0 ? share : share / sum);
      const at = 2 * (row + 1 + (tap & ~1)) + (tap & 1);
      halves[at] = fixed & LOW_MASK;
      halves[at + 2] = fixed >> LOW_BITS;
    }
    first = Math.min(first, left);
    end = Math.max(end, right);
  }
  return { first, end, taps, table };
}

function toFixed(weight: number): number {
  return Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
}
