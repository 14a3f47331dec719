import { multiplyBytesRatio } from '../kernels/binary-bytes.ts';
import { averageMultiplier } from '../kernels/average-bytes.ts';
import type { ByteWindowSpec, WindowSpec } from '../kernels/gather-patches.ts';
import type { ByteGrid } from '../kernels/requantize.ts';
import { fusedSum, sumOfBytes, type ByteGrids } from '../kernels/sum-of-bytes.ts';
import { averagePoolRows } from './float-maps.ts';
import { add, clamp, div, mul, roundHalfEven } from './math.ts';

// Plain loops over dense maps [height][width][channels], bit-identical to the kernels of the same name.

/** Values of one byte each, channels innermost. */
export interface ByteMap {
  readonly channels: number;
  readonly values: Uint8Array;
}

export interface ByteKernel {
  /** Output channels. */
  readonly filters: number;
  /** [filters][channels per group][kernel height][kernel width] */
  readonly weights: Int8Array;
  readonly groups: number;
  /** Per filter, as in ONNX: nothing of zero points is in it. */
  readonly bias: Int32Array;
  readonly multiplier: Float32Array;
}

function toByte(value: number, zeroPoint: number): number {
  return roundHalfEven(clamp(value, -zeroPoint, 255 - zeroPoint)) + zeroPoint;
}

/** clamp(round(float(Σ (x − zero point)·w + bias)·multiplier)) + yZeroPoint; padding counts as 0. */
export function convBytes(
  x: ByteMap,
  kernel: ByteKernel,
  window: ByteWindowSpec,
  outHeight: number,
  yZeroPoint: number,
): Uint8Array {
  const { outWidth, zeroPoint } = window;
  const { filters, groups, bias, multiplier } = kernel;
  const y = new Uint8Array(outHeight * outWidth * filters);
  for (let index = 0; index < y.length; index++) {
    const filter = index % filters;
    const pixel = Math.floor(index / filters);
    const firstChannel = Math.floor(filter / (filters / groups)) * (x.channels / groups);
    let sum = bias[filter]!;
    forEachTap(window, Math.floor(pixel / outWidth), pixel % outWidth, (tap, inputPixel) => {
      for (let channel = 0; channel < x.channels / groups; channel++) {
        const value = x.values[inputPixel * x.channels + firstChannel + channel]! - zeroPoint;
        const taps = window.kernel[0] * window.kernel[1];
        sum += value * kernel.weights[(filter * (x.channels / groups) + channel) * taps + tap]!;
      }
    });
    y[index] = toByte(mul(Math.fround(sum), multiplier[filter]!), yZeroPoint);
  }
  return y;
}

/** The taps of a window that lie inside the map. */
function forEachTap(
  { height, width, kernel, strides, dilations, pads }: WindowSpec,
  outY: number,
  outX: number,
  visit: (tap: number, pixel: number) => void,
): void {
  for (let ky = 0; ky < kernel[0]; ky++) {
    for (let kx = 0; kx < kernel[1]; kx++) {
      const y = outY * strides[0] + ky * dilations[0] - pads[0];
      const x = outX * strides[1] + kx * dilations[1] - pads[1];
      if (y >= 0 && y < height && x >= 0 && x < width) visit(ky * kernel[1] + kx, y * width + x);
    }
  }
}

/** Planes [channels][pixels] to a map. */
export function quantizeImage(x: Float32Array, channels: number, grid: ByteGrid): Uint8Array {
  const pixels = x.length / channels;
  const scale = Math.fround(grid.scale);
  return Uint8Array.from({ length: x.length }, (_, index) => {
    const value = x[(index % channels) * pixels + Math.floor(index / channels)]!;
    return toByte(div(value, scale), grid.zeroPoint);
  });
}

/** b may be one row, which is repeated. */
export function addBytes(a: Uint8Array, b: Uint8Array, grids: ByteGrids): Uint8Array {
  const sum = sumOfBytes(grids);
  return a.map((value, index) => toByte(fusedSum(value, b[index % b.length]!, sum), 0));
}

/** b may be one row, which is repeated. */
export function multiplyBytes(a: Uint8Array, b: Uint8Array, grids: ByteGrids): Uint8Array {
  const ratio = multiplyBytesRatio(grids);
  return a.map((value, index) => {
    const product = (value - grids.a.zeroPoint) * (b[index % b.length]! - grids.b.zeroPoint);
    return toByte(add(mul(product, ratio), grids.output.zeroPoint), 0);
  });
}

export function averageBytes({ channels, values }: ByteMap, input: ByteGrid, output: ByteGrid): Uint8Array {
  const pixels = values.length / channels;
  const multiplier = averageMultiplier({ channels, pixels, input, output, xStride: channels });
  return Uint8Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let pixel = 0; pixel < pixels; pixel++) sum += values[pixel * channels + channel]! - input.zeroPoint;
    return toByte(mul(Math.fround(sum), multiplier), output.zeroPoint);
  });
}

/** clamp(round(x / scale)) + zero point. */
export function quantize(x: Float32Array, { scale, zeroPoint }: ByteGrid): Uint8Array {
  return Uint8Array.from(x, (value) => toByte(div(value, Math.fround(scale)), zeroPoint));
}

/** The mean of each window, as the floats that the bytes stand for; padding counts as 0 or not at all. */
export function averagePoolBytes(
  { channels, values }: ByteMap,
  window: WindowSpec,
  { outHeight, countsPadding, input, output }: ByteAveragePool,
): Uint8Array {
  const real = { channels, values: dequantize(values, input) };
  const means = averagePoolRows(real, window, outHeight, countsPadding);
  return Uint8Array.from(means, (mean) =>
    toByte(add(div(mean, Math.fround(output.scale)), output.zeroPoint), 0),
  );
}

export interface ByteAveragePool {
  readonly outHeight: number;
  readonly countsPadding: boolean;
  readonly input: ByteGrid;
  readonly output: ByteGrid;
}

export function dequantize(x: Uint8Array, { scale, zeroPoint }: ByteGrid): Float32Array {
  return Float32Array.from(x, (value) => mul(value - zeroPoint, Math.fround(scale)));
}

/** The largest value of each window; padding does not count. */
export function maxPoolBytes(
  { channels, values }: ByteMap,
  window: WindowSpec,
  outHeight: number,
): Uint8Array {
  return Uint8Array.from({ length: outHeight * window.outWidth * channels }, (_, index) => {
    const pixel = Math.floor(index / channels);
    let largest = 0;
    const outX = pixel % window.outWidth;
    forEachTap(window, Math.floor(pixel / window.outWidth), outX, (_tap, inputPixel) => {
      largest = Math.max(largest, values[inputPixel * channels + (index % channels)]!);
    });
    return largest;
  });
}
