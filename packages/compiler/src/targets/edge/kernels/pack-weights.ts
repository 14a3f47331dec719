import { packInt4 } from '../../../quantize/weights/pack-int4.ts';
import { int8PanelBytes, packInt8 } from './pack-int8.ts';
import { roundUp } from './vector-code.ts';

// Panels of eight columns: what the linear kernels read. Done once, by the compiler.

/** [k][n] to [n/8][k][8], n padded to 8 with zeros, which `packed` holds. */
export function packFloatWeights(
  weights: Float32Array,
  k: number,
  n: number,
  packed: Float32Array = new Float32Array(k * roundUp(n, 8)),
): Float32Array {
  for (let row = 0; row < k; row++) {
    for (let column = 0; column < n; column++) {
      packed[((column >> 3) * k + row) * 8 + (column & 7)] = weights[row * n + column] as number;
    }
  }
  return packed;
}

/**
 * Values in [-8, 7], [k][n], to the bytes that expandInt4 reads: packInt8's order, two a byte, the first in the low half.
 * They belong into the upper half of the weight's place.
 */
export function packInt4Weights(weights: Int8Array, k: number, n: number): Uint8Array {
  const panels = new Int8Array(int8PanelBytes(k, n));
  packInt8(weights, k, n, panels);
  return packInt4(panels);
}

/** Multipliers [⌈k/32⌉][n] to [n/8][⌈k/32⌉][8], n padded to 8. */
export function packMultipliers(multipliers: Uint8Array, k: number, n: number): Uint8Array {
  const groups = Math.ceil(k / 32);
  const packed = new Uint8Array(groups * roundUp(n, 8));
  for (let group = 0; group < groups; group++) {
    for (let column = 0; column < n; column++) {
      const at = ((column >> 3) * groups + group) * 8 + (column & 7);
      packed[at] = multipliers[group * n + column] as number;
    }
  }
  return packed;
}

export interface KernelLayout {
  /** Output channels. */
  readonly filters: number;
  /** Input channels. */
  readonly channels: number;
  /** Positions of the kernel. */
  readonly taps: number;
  /** Bytes from tap to tap in a patch: at least `channels`. */
  readonly stride: number;
}

/** A kernel in ONNX's order [filters][channels][taps] as a matrix [taps][stride] × [filters], zeros between. */
export function kernelMatrix(
  weights: Int8Array,
  { filters, channels, taps, stride }: KernelLayout,
): Int8Array {
  const matrix = new Int8Array(taps * stride * filters);
  for (let filter = 0; filter < filters; filter++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const to = (tap * stride + channel) * filters + filter;
        matrix[to] = weights[(filter * channels + channel) * taps + tap]!;
      }
    }
  }
  return matrix;
}
