import type { Activation } from '../kernels/finish-panel.ts';
import type { WindowSpec } from '../kernels/gather-patches.ts';
import type { Reduction } from '../kernels/reduce-rows.ts';
import type { LinearTap } from '../kernels/resize-linear.ts';
import type { Taps } from '../kernels/resize-taps.ts';
import { add, div, mul } from './math.ts';
import { activate } from './rows.ts';

// Plain loops over dense float32 maps [height][width][channels], bit-identical to the kernels of the same name.

export interface FloatKernel {
  /** Output channels. */
  readonly filters: number;
  /** [filters][channels per group][kernel height][kernel width] */
  readonly weights: Float32Array;
  readonly groups: number;
  readonly bias: Float32Array;
}

/** act(Σ x·w + bias): the sum from +0, tap by tap and channel by channel, padding as 0. */
export function convF32(
  x: { channels: number; values: Float32Array },
  { filters, weights, groups, bias }: FloatKernel,
  window: WindowSpec,
  outHeight: number,
  activation: Activation,
): Float32Array {
  const perGroup = x.channels / groups;
  const taps = window.kernel[0] * window.kernel[1];
  const y = new Float32Array(outHeight * window.outWidth * filters);
  for (let index = 0; index < y.length; index++) {
    const filter = index % filters;
    const pixel = Math.floor(index / filters);
    const firstChannel = Math.floor(filter / (filters / groups)) * perGroup;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const from = inputPixel(window, Math.floor(pixel / window.outWidth), pixel % window.outWidth, tap);
      for (let channel = 0; channel < perGroup; channel++) {
        const value = from < 0 ? 0 : x.values[from * x.channels + firstChannel + channel]!;
        sum = add(sum, mul(value, weights[(filter * perGroup + channel) * taps + tap]!));
      }
    }
    y[index] = add(sum, bias[filter]!);
  }
  return activate(y, activation);
}

/** The pixel under a tap; −1 in the padding. */
function inputPixel(window: WindowSpec, outY: number, outX: number, tap: number): number {
  const { height, width, kernel, strides, dilations, pads } = window;
  const y = outY * strides[0] + Math.floor(tap / kernel[1]) * dilations[0] - pads[0];
  const x = outX * strides[1] + (tap % kernel[1]) * dilations[1] - pads[1];
  return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : -1;
}

const COMBINATIONS: Readonly<
  Record<Reduction, { start: number; combine: (a: number, b: number) => number }>
> = {
  sum: { start: 0, combine: add },
  mean: { start: 0, combine: add },
  min: { start: Infinity, combine: Math.min },
  max: { start: -Infinity, combine: Math.max },
  product: { start: 1, combine: mul },
};

/** Each `rows` rows behind each other become one, column by column in their order; the mean is the sum times 1/rows. */
export function reduceRows(
  x: Float32Array,
  reduction: Reduction,
  columns: number,
  rows: number,
): Float32Array {
  const { start, combine } = COMBINATIONS[reduction];
  return Float32Array.from({ length: x.length / rows }, (_, index) => {
    const first = Math.floor(index / columns) * rows;
    let result = start;
    for (let row = first; row < first + rows; row++)
      result = combine(result, x[row * columns + (index % columns)]!);
    return reduction === 'mean' ? mul(result, Math.fround(1 / rows)) : result;
  });
}

/** The mean of each window: the sum in its order, divided by its size; padding counts as 0 or not at all. */
export function averagePoolRows(
  x: { channels: number; values: Float32Array },
  window: WindowSpec,
  outHeight: number,
  countsPadding: boolean,
): Float32Array {
  const taps = window.kernel[0] * window.kernel[1];
  return Float32Array.from({ length: outHeight * window.outWidth * x.channels }, (_, index) => {
    const pixel = Math.floor(index / x.channels);
    let sum = 0;
    let count = 0;
    for (let tap = 0; tap < taps; tap++) {
      const from = inputPixel(window, Math.floor(pixel / window.outWidth), pixel % window.outWidth, tap);
      if (from < 0) continue;
      sum = add(sum, x.values[from * x.channels + (index % x.channels)]!);
      count++;
    }
    return div(sum, countsPadding ? taps : count);
  });
}

/** The largest value of each window; padding does not count. */
export function maxPoolRows(
  x: { channels: number; values: Float32Array },
  window: WindowSpec,
  outHeight: number,
): Float32Array {
  return Float32Array.from({ length: outHeight * window.outWidth * x.channels }, (_, index) => {
    const pixel = Math.floor(index / x.channels);
    let largest = -Infinity;
    for (let tap = 0; tap < window.kernel[0] * window.kernel[1]; tap++) {
      const from = inputPixel(window, Math.floor(pixel / window.outWidth), pixel % window.outWidth, tap);
      if (from >= 0) largest = Math.max(largest, x.values[from * x.channels + (index % x.channels)]!);
    }
    return largest;
  });
}

/** Bilinear interpolation: neighbours times the distances to the opposite ones, the upper left one first. */
export function resizeLinear(
  x: { width: number; channels: number; values: Float32Array },
  rows: readonly LinearTap[],
  columns: readonly LinearTap[],
): Float32Array {
  const { fround } = Math;
  return Float32Array.from({ length: rows.length * columns.length * x.channels }, (_, index) => {
    const pixel = Math.floor(index / x.channels);
    const row = rows[Math.floor(pixel / columns.length)]!;
    const column = columns[pixel % columns.length]!;
    let sum: number | undefined;
    for (const [y, dy] of [
      [row.near, row.toFar],
      [row.far, row.toNear],
    ] as const) {
      for (const [at, dx] of [
        [column.near, column.toFar],
        [column.far, column.toNear],
      ] as const) {
        const value = x.values[(y * x.width + at) * x.channels + (index % x.channels)]!;
        const part = mul(mul(fround(dx), fround(dy)), value);
        sum = sum === undefined ? part : add(sum, part);
      }
    }
    return sum!;
  });
}

/** Separable interpolation: along a row first, then the rows, each sum from its first tap on. */
export function resizeTaps(
  x: { width: number; channels: number; values: Float32Array },
  rows: readonly Taps[],
  columns: readonly Taps[],
): Float32Array {
  const weighted = ({ positions, weights }: Taps, valueAt: (position: number) => number): number =>
    positions
      .map((position, tap) => mul(Math.fround(weights[tap]!), valueAt(position)))
      .reduce((sum, value) => add(sum, value));
  return Float32Array.from({ length: rows.length * columns.length * x.channels }, (_, index) => {
    const pixel = Math.floor(index / x.channels);
    const row = rows[Math.floor(pixel / columns.length)]!;
    const column = columns[pixel % columns.length]!;
    return weighted(row, (y) =>
      weighted(column, (at) => x.values[(y * x.width + at) * x.channels + (index % x.channels)]!),
    );
  });
}
