import type { SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import type { ByteGrid, ByteWindowSpec } from '../../src/targets/edge/kernels/index.ts';
import type * as reference from '../../src/targets/edge/reference/index.ts';
import type { ModeName, RigMemory } from './harness.ts';

// Maps, windows and weights for the cases of kernels over maps.

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
export const mapStride = (channels: number): number => (channels <= 8 ? 8 : roundUp(channels, 16));
export const offsetOf = (mode: ModeName): number => (mode === 's8' ? 128 : 0);

export interface Geometry {
  window: ByteWindowSpec;
  outHeight: number;
}

export function randomGeometry(
  random: SeededRandom,
  channels: number,
  stride: number,
  kind: 'any' | 'pointwise' | '3x3',
): Geometry {
  const pair = (low: number, high: number): [number, number] => [
    random.int(low, high),
    random.int(low, high),
  ];
  const kernel = {
    pointwise: [1, 1] as const,
    '3x3': [3, 3] as const,
    any: random.pick([pair(1, 3), [3, 3], [5, 5], pair(1, 4)] as const),
  }[kind];
  const strides = kind === 'any' ? pair(1, 2) : ([1, 1] as const);
  const dilations = kind === 'any' ? random.pick([[1, 1], [1, 1], pair(1, 2)] as const) : ([1, 1] as const);
  const pads = kind === 'pointwise' ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => random.int(0, 2));
  const [height, width] = pair(1, 14);
  const extent = (axis: 0 | 1, size: number): number => {
    const span = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor((size + pads[axis]! + pads[axis + 2]! - span) / strides[axis]) + 1;
  };
  const [outHeight, outWidth] = [extent(0, height), extent(1, width)];
  if (outHeight < 1 || outWidth < 1) return randomGeometry(random, channels, stride, kind);
  return {
    outHeight,
    window: {
      height,
      width,
      xStride: stride,
      tapBytes: roundUp(channels, 4),
      kernel,
      strides,
      dilations,
      pads: [pads[0]!, pads[1]!],
      outWidth,
      zeroPoint: random.pick([0, 128, 255, random.int(0, 255)]),
    },
  };
}

/** A map as the mode stores it; the channels between are garbage. */
export function putMap(
  rig: RigMemory,
  values: Uint8Array,
  channels: number,
  stride: number,
  mode: ModeName,
): number {
  return rig.put(
    values.map((value) => value ^ offsetOf(mode)),
    channels,
    stride,
  );
}

export function mapValues(
  rig: RigMemory,
  address: number,
  pixels: number,
  channels: number,
  stride: number,
  mode: ModeName,
): Uint8Array {
  const bytes = rig.rawBytes(address, pixels * stride);
  return Uint8Array.from(
    { length: pixels * channels },
    (_, index) => bytes[Math.floor(index / channels) * stride + (index % channels)]! ^ offsetOf(mode),
  );
}

export function randomBytes(random: SeededRandom, length: number, extreme: boolean): Uint8Array {
  return Uint8Array.from({ length }, () => (extreme ? random.pick([0, 255, 255]) : random.int(0, 255)));
}

/** 7 bits; 8 bits; 8 bits whose neighbours of one sign sum to at most 128, what mode `pairs` can multiply. */
export type WeightKind = 7 | 8 | 'paired';

export function randomWeights(
  random: SeededRandom,
  length: number,
  kind: WeightKind,
  extreme: boolean,
): Int8Array {
  const [low, high] = kind === 7 ? [-64, 63] : [-127, 127];
  return Int8Array.from({ length }, () => (extreme ? random.pick([low, high, high]) : random.int(low, high)));
}

export function padded(values: Int32Array | Float32Array, length: number): Int32Array | Float32Array {
  const longer = values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  longer.set(values);
  return longer;
}

/** Makes `b` small enough beside `a`. */
export function pairedWith(a: number, b: number): number {
  const isSameSign = a < 0 === b < 0;
  return isSameSign && Math.abs(a + b) > 128 ? Math.sign(b) * (128 - Math.abs(a)) : b;
}

export interface KernelOptions {
  weights: WeightKind;
  extreme: boolean;
}

/** What both kinds of convolution share: weights, biases and what is expected of them. */
export function randomKernel(
  random: SeededRandom,
  shape: { filters: number; channels: number; groups: number; taps: number },
  { weights: kind, extreme }: KernelOptions,
): reference.ByteKernel {
  const { filters, channels, groups, taps } = shape;
  const perGroup = channels / groups;
  const depth = perGroup * taps;
  const weights = randomWeights(random, filters * depth, kind, extreme);
  weights.forEach((weight, index) => {
    const isSecond = (Math.floor(index / taps) % perGroup) % 2 === 1;
    if (kind === 'paired' && isSecond) weights[index] = pairedWith(weights[index - taps]!, weight);
  });
  return {
    filters,
    groups,
    weights,
    bias: Int32Array.from({ length: filters }, () => random.int(-20_000, 20_000)),
    multiplier: random.uniform(filters, 0.1 / (127 * depth), 4 / (127 * depth)),
  };
}

export function foldedBias({ bias }: reference.ByteKernel, sums: Int32Array, zeroPoint: number): Int32Array {
  return sums.map((sum, filter) => (bias[filter] ?? 0) - zeroPoint * sum);
}

export function randomGrid(random: SeededRandom): ByteGrid {
  return { scale: random.uniform(1, 0.001, 0.1)[0]!, zeroPoint: random.pick([0, 255, random.int(0, 255)]) };
}
