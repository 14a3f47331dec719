import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { BYTE_LIMITS_BYTES, emitByteLimits, emitFlip, emitToBytes } from './requantize.ts';
import { roundUp } from './vector-code.ts';

// Maps of bytes that are not convolved. Every formula is that of onnxruntime's kernel of the same name.

/** A quantization grid of bytes. */
export interface ByteGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Scratch of the kernels here. */
export const BYTE_MAP_SCRATCH_BYTES: number = BYTE_LIMITS_BYTES;

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
      const scale = library.splat(Math.fround(spec.grid.scale));
      const to = f.local('i32');
      const end = f.let(i32.add(p.y, i32.mul(p.m1, spec.yStride)));
      const from = f.local('i32');
      for (let channel = 0; channel < spec.channels; channel++) {
        f.set(from, i32.add(p.x, i32.add(i32.shl(p.m0, 2), 4 * channel * spec.pixels)));
        f.set(to, i32.add(i32.add(p.y, i32.mul(p.m0, spec.yStride)), channel));
        f.whileBelow(to, end, 4 * spec.yStride, () => {
          const value = f.let(f32x4.div(v128.load(from), scale));
          const bytes = f.let(emitToBytes(library, p.scratch, [value, value]));
          // Pixels behind the last one belong to nobody else yet: a thread's pixels are a multiple of 4.
          for (let lane = 0; lane < 4; lane++) {
            f.do(v128.store8Lane(to, bytes, lane, lane * spec.yStride));
          }
          f.increment(from, 16);
        });
      }
    }),
  );
}

export interface AddBytesSpec {
  readonly a: ByteGrid;
  readonly b: ByteGrid;
  readonly output: ByteGrid;
  /** Bytes from pixel to pixel, of all three. A multiple of 8. */
  readonly stride: number;
}

const ADD_PARAMS = { a: 'i32', b: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

/** The constants of QLinearAdd: round(a·ratioA + b·ratioB + fixed), everything in float32. */
export function addBytesConstants({ a, b, output }: Omit<AddBytesSpec, 'stride'>): {
  ratioA: number;
  ratioB: number;
  fixed: number;
} {
  const { fround } = Math;
  const ratioA = fround(fround(a.scale) / fround(output.scale));
  const ratioB = fround(fround(b.scale) / fround(output.scale));
  const zeros = fround(fround(ratioA * a.zeroPoint) + fround(ratioB * b.zeroPoint));
  return { ratioA, ratioB, fixed: fround(output.zeroPoint - zeros) };
}

/** y = a + b on their grids (com.microsoft QLinearAdd, x86). y may be a or b. */
export function emitAddBytes(
  library: KernelLibrary,
  spec: AddBytesSpec,
): FunctionRef<typeof ADD_PARAMS, undefined> {
  return library.once('add bytes', spec, (name) =>
    library.module.function(name, { params: ADD_PARAMS }, (f, p) => {
      const { ratioA, ratioB, fixed } = addBytesConstants(spec);
      // The zero point is in `fixed`.
      emitByteLimits(library, f, p.scratch, 0);
      const at = f.let(i32.mul(p.m0, spec.stride));
      f.whileBelow(at, i32.mul(p.m1, spec.stride), 8, () => {
        const [a, b] = [p.a, p.b].map((pointer) =>
          emitFloats(f, emitFlip(p.scratch, v128.load64Zero(i32.add(pointer, at)))),
        ) as [Halves, Halves];
        const sums = [0, 1].map((half) =>
          f32x4.add(
            f32x4.add(library.splat(fixed), f32x4.mul(a[half as 0 | 1], library.splat(ratioA))),
            f32x4.mul(b[half as 0 | 1], library.splat(ratioB)),
          ),
        ) as [Expr<'v128'>, Expr<'v128'>];
        f.do(v128.store64Lane(i32.add(p.y, at), emitToBytes(library, p.scratch, sums), 0));
      });
    }),
  );
}

type Halves = readonly [Local<'v128'>, Local<'v128'>];

/** Eight bytes (0…255, lower half) as floats. */
function emitFloats(f: FunctionBuilder, bytes: Expr<'v128'>): Halves {
  const words = f.let(i16x8.extendLowI8x16U(bytes));
  return [
    f.let(f32x4.convertI32x4S(i32x4.extendLowI16x8S(words))),
    f.let(f32x4.convertI32x4S(i32x4.extendHighI16x8S(words))),
  ];
}

export interface AverageBytesSpec {
  readonly channels: number;
  readonly pixels: number;
  readonly input: ByteGrid;
  readonly output: ByteGrid;
  readonly xStride: number;
}

const AVERAGE_PARAMS = { x: 'i32', y: 'i32', scratch: 'i32' } as const;

/** x_scale/(y_scale·pixels) in float32. */
export function averageMultiplier({ input, output, pixels }: AverageBytesSpec): number {
  const { fround } = Math;
  return fround(fround(input.scale) / fround(fround(output.scale) * pixels));
}

/** The mean over all pixels (com.microsoft QLinearGlobalAveragePool). */
export function emitAverageBytes(
  library: KernelLibrary,
  spec: AverageBytesSpec,
): FunctionRef<typeof AVERAGE_PARAMS, undefined> {
  return library.once('average bytes', spec, (name) =>
    library.module.function(name, { params: AVERAGE_PARAMS }, (f, p) => {
      emitByteLimits(library, f, p.scratch, spec.output.zeroPoint);
      const multiplier = library.splat(averageMultiplier(spec));
      const sums = [f.local('v128'), f.local('v128')] as const;
      const from = f.local('i32');
      const end = f.local('i32');
      const channel = f.local('i32');
      f.whileBelow(channel, roundUp(spec.channels, 8), 8, () => {
        for (const sum of sums) f.set(sum, library.splatBits(-spec.input.zeroPoint * spec.pixels));
        f.set(from, i32.add(p.x, channel));
        f.set(end, i32.add(from, spec.pixels * spec.xStride));
        f.whileBelow(from, end, spec.xStride, () => {
          const words = f.let(i16x8.extendLowI8x16U(emitFlip(p.scratch, v128.load64Zero(from))));
          f.set(sums[0], i32x4.add(sums[0], i32x4.extendLowI16x8S(words)));
          f.set(sums[1], i32x4.add(sums[1], i32x4.extendHighI16x8S(words)));
        });
        const scaled = sums.map((sum) => f32x4.mul(f32x4.convertI32x4S(sum), multiplier)) as [
          Expr<'v128'>,
          Expr<'v128'>,
        ];
        f.do(v128.store64Lane(i32.add(p.y, channel), emitToBytes(library, p.scratch, scaled), 0));
      });
    }),
  );
}

export interface DequantizeSpec {
  readonly columns: number;
  readonly grid: ByteGrid;
  /** Bytes from pixel to pixel of x, floats from row to row of y. */
  readonly xStride: number;
  readonly yStride: number;
}

const DEQUANTIZE_PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** (x − zero point)·scale (DequantizeLinear). */
export function emitDequantizeRows(
  library: KernelLibrary,
  spec: DequantizeSpec,
): FunctionRef<typeof DEQUANTIZE_PARAMS, undefined> {
  return library.once('dequantize rows', spec, (name) =>
    library.module.function(name, { params: DEQUANTIZE_PARAMS }, (f, p) => {
      const flip = f.let(i8x16.splat(i32.shl(i32.eq(library.mode, MODE.s8), 7)));
      const column = f.local('i32');
      f.increment(p.x, i32.mul(p.m0, spec.xStride));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(column, 0);
        f.whileBelow(column, roundUp(spec.columns, 8), 8, () => {
          const bytes = v128.xor(v128.load64Zero(i32.add(p.x, column)), flip);
          const to = f.let(i32.add(p.y, i32.shl(column, 2)));
          emitFloats(f, bytes).forEach((values, half) => {
            const centred = f32x4.sub(values, library.splat(spec.grid.zeroPoint));
            f.do(v128.store(to, f32x4.mul(centred, library.splat(Math.fround(spec.grid.scale))), 16 * half));
          });
        });
        f.increment(p.x, spec.xStride);
        f.increment(p.y, 4 * spec.yStride);
      });
    }),
  );
}
