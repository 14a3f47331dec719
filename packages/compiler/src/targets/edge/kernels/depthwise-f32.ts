import { f32x4, i32, v128, type Expr, type FunctionRef } from '../../../wasm/index.ts';
import { activationCode, type Activation } from './finish-panel.ts';
import type { WindowSpec } from './gather-patches.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { roundUp } from './vector-code.ts';
import { emitInputRow, emitWindowColumns } from './window-columns.ts';

/** Channels that are computed together. */
const LANES = 4;

export interface DepthwiseF32Spec extends WindowSpec {
  channels: number;
  activation: Activation;
  /** Floats from pixel to pixel of y, at least channels rounded up to 8. */
  yStride: number;
}

const PARAMS = {
  x: 'i32',
  /** [channels/4][taps][4] floats. */
  weights: 'i32',
  bias: 'i32',
  y: 'i32',
  /** depthwiseF32ScratchBytes(spec) bytes of this thread. */
  scratch: 'i32',
  /** Output pixels, whole rows of the map. */
  m0: 'i32',
  m1: 'i32',
} as const;

/** Weights whose vectors stay in registers; those of larger windows are read again for every pixel. */
const TAPS_IN_REGISTERS = 9;

/** A row of padding. */
export function depthwiseF32ScratchBytes({ width, xStride }: DepthwiseF32Spec): number {
  return width * xStride;
}

/** Weights [channels][taps] to [channels/4][taps][4], padded with zeros. */
export function packDepthwiseF32(weights: Float32Array, channels: number, taps: number): Float32Array {
  const packed = new Float32Array(roundUp(channels, LANES) * taps);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < taps; tap++) {
      const block = Math.floor(channel / LANES) * taps * LANES;
      packed[block + tap * LANES + (channel % LANES)] = weights[channel * taps + tap]!;
    }
  }
  return packed;
}

/** act(Σ taps + bias), the sum from +0 in the order of the taps, padding counting as 0, for whole rows of pixels. */
export function emitDepthwiseF32(
  library: KernelLibrary,
  spec: DepthwiseF32Spec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('depthwise f32', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const { kernel, channels, activation, outWidth, width, xStride } = spec;
      const taps = kernel[0] * kernel[1];
      const yStride = 4 * spec.yStride;
      const at = f.let(p.scratch);
      f.whileBelow(at, i32.add(p.scratch, width * xStride), 16, () => f.do(v128.store(at, v128.zero())));

      const outY = f.let(i32.divU(p.m0, outWidth));
      const endY = f.let(i32.divU(p.m1, outWidth));
      const weights = f.local('i32');
      const bias = f.local('i32');
      const y = f.local('i32');
      const held =
        taps <= TAPS_IN_REGISTERS ? Array.from({ length: taps }, () => f.local('v128')) : undefined;
      const weightOf = (tap: number): Expr<'v128'> => held?.[tap] ?? v128.load(weights, 16 * tap);
      const sum = f.local('v128');
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.whileBelow(outY, endY, 1, () => {
        const rows = Array.from({ length: kernel[0] }, (_, ky) =>
          emitInputRow(f, spec, { x: p.x, outY, padding: p.scratch }, ky),
        );
        f.set(weights, p.weights);
        f.set(bias, p.bias);
        f.set(y, p.y);
        f.whileBelow(f.let(i32.const(0)), roundUp(channels, LANES), LANES, () => {
          held?.forEach((vector, tap) => f.set(vector, v128.load(weights, 16 * tap)));
          emitWindowColumns(f, spec, { rows, y, yStride }, (tap, to, offset) => {
            f.set(sum, v128.zero());
            for (let index = 0; index < taps; index++) {
              const place = tap(index);
              const value = place ? v128.load(place.address, place.offset) : v128.zero();
              f.set(sum, f32x4.add(sum, f32x4.mul(value, weightOf(index))));
            }
            const biased = f.let(f32x4.add(sum, v128.load(bias)));
            const [result] =
              activation === 'none' ? [biased] : activationCode(activation)(library, f, [biased]);
            f.do(v128.store(to, result!, offset));
          });
          for (const row of rows) f.increment(row, 4 * LANES);
          f.increment(weights, 16 * taps);
          f.increment(bias, 4 * LANES);
          f.increment(y, 4 * LANES);
        });
        f.increment(p.y, outWidth * yStride);
      });
    }),
  );
}
