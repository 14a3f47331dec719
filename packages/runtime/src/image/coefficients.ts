import type { Filter } from './filters.ts';

/** 8 bits of a pixel and 2 of headroom for filters that overshoot leave 22 of 32 for a weight. */
export const PRECISION_BITS: number = 32 - 8 - 2;

/** For each output pixel of one axis the run of input pixels it is made of, and their fixed-point weights. */
export interface Coefficients {
  /** Weights from one output pixel to the next. */
  readonly stride: number;
  /** First input pixel, per output pixel. */
  readonly starts: Int32Array;
  /** Number of input pixels, per output pixel. */
  readonly counts: Int32Array;
  /** `stride` weights per output pixel, in units of 2^−22. */
  readonly weights: Int32Array;
}

/**
 * Weights of the output pixels [first, first + count) of an axis resized from `from` to `to` pixels.
 * Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`, in the same order of operations.
 */
export function coefficientsOf(
  filter: Filter,
  from: number,
  to: number,
  first: number,
  count: number,
): Coefficients {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const inverse = 1 / filterScale;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const exact = new Float64Array(stride);
  for (let index = 0; index < count; index++) {
    const center = (first + index + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const taps = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = filter.weight((tap + start - center + 0.5) * inverse);
      exact[tap] = weight;
      sum += weight;
    }
    starts[index] = start;
    counts[index] = taps;
    for (let tap = 0; tap < taps; tap++) {
      const weight = exact[tap] as number;
      weights[index * stride + tap] = toFixed(sum === 0 ? weight : weight / sum);
    }
  }
  return { stride, starts, counts, weights };
}

function toFixed(weight: number): number {
  return Math.trunc(weight * 2 ** PRECISION_BITS + (weight < 0 ? -0.5 : 0.5));
}
