import {
  f32x4,
  i32,
  i32x4,
  v128,
  type FunctionBuilder,
  type FunctionRef,
  type ParamLocals,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitByteLimits, emitFlip, emitToStoredBytes, emitToSteps, type ByteGrid } from './requantize.ts';

export interface QuantizeImageSpec {
  readonly channels: number;
  /** Pixels of the image. */
  readonly pixels: number;
  readonly grid: ByteGrid;
  /** Bytes from pixel to pixel of y. */
  readonly yStride: number;
}

const QUANTIZE_PARAMS = { x: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Planes of float32 [channels][pixels] to pixels of bytes: clamp(round(x / scale)) + zero point (QuantizeLinear). */
export function emitQuantizeImage(
  library: KernelLibrary,
  spec: QuantizeImageSpec,
): FunctionRef<typeof QUANTIZE_PARAMS, undefined> {
  return library.once('quantize image', spec, (name) =>
    library.module.function(name, { params: QUANTIZE_PARAMS }, (f, p) => {
      emitByteLimits(library, f, p.scratch, spec.grid.zeroPoint);
      if (spec.yStride === 4) emitPixels(library, f, spec, p);
      else emitChannels(library, f, spec, p);
    }),
  );
}

type Pointers = ParamLocals<typeof QUANTIZE_PARAMS>;

/** Four pixels of at most four channels each: a vector. The bytes of missing channels are 0. */
function emitPixels(library: KernelLibrary, f: FunctionBuilder, spec: QuantizeImageSpec, p: Pointers): void {
  const scale = library.splat(spec.grid.scale);
  const from = f.let(i32.add(p.x, i32.shl(p.m0, 2)));
  const to = f.let(i32.add(p.y, i32.shl(p.m0, 2)));
  const end = f.let(i32.add(p.y, i32.shl(p.m1, 2)));
  f.whileBelow(to, end, 16, () => {
    const channels = Array.from({ length: spec.channels }, (_, channel) => {
      const steps = f32x4.div(v128.load(from, 4 * channel * spec.pixels), scale);
      return i32x4.shl(emitToSteps(library, p.scratch, steps), 8 * channel);
    });
    const pixels = channels.reduce((joined, channel) => v128.or(joined, channel));
    f.do(v128.store(to, emitFlip(p.scratch, pixels)));
    f.increment(from, 16);
  });
}

/** Channel by channel. */
function emitChannels(
  library: KernelLibrary,
  f: FunctionBuilder,
  spec: QuantizeImageSpec,
  p: Pointers,
): void {
  const scale = library.splat(spec.grid.scale);
  const to = f.local('i32');
  const end = f.let(i32.add(p.y, i32.mul(p.m1, spec.yStride)));
  const from = f.local('i32');
  for (let channel = 0; channel < spec.channels; channel++) {
    f.set(from, i32.add(p.x, i32.add(i32.shl(p.m0, 2), 4 * channel * spec.pixels)));
    f.set(to, i32.add(i32.add(p.y, i32.mul(p.m0, spec.yStride)), channel));
    f.whileBelow(to, end, 4 * spec.yStride, () => {
      const value = f.let(f32x4.div(v128.load(from), scale));
      const bytes = f.let(emitToStoredBytes(library, p.scratch, [value, value]));
      // Pixels behind the last one belong to nobody else yet: a thread's pixels are a multiple of 4.
      for (let lane = 0; lane < 4; lane++) {
        f.do(v128.store8Lane(to, bytes, lane, lane * spec.yStride));
      }
      f.increment(from, 16);
    });
  }
}
