import {
  f32,
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
} from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { emitFloats } from './requantize.ts';
import { packManyTaps } from './resize-taps.ts';

export interface ResizeLinearSpec {
  readonly elementBytes: 1 | 4;
  /** Bytes from pixel to pixel: multiples of 8, of 32 for floats. */
  readonly xStride: number;
  readonly yStride: number;
  /** Of the output map. */
  readonly outWidth: number;
}

/** Where an output position reads along one axis, as onnxruntime has it: two neighbours and the distances to them. */
export interface LinearTap {
  readonly near: number;
  readonly far: number;
  readonly toNear: number;
  readonly toFar: number;
}

const TAP_BYTES = 16;
const TAP = { near: 0, far: 4, toNear: 8, toFar: 12 } as const;

/** Taps as the kernel reads them; `step` is the bytes from one position to the next. */
export function packTaps(taps: readonly LinearTap[], step: number): Int32Array {
  const two = taps.map(({ near, far, toNear, toFar }) => ({
    positions: [near, far],
    weights: [toNear, toFar],
  }));
  return packManyTaps(two, step);
}

const PARAMS = {
  x: 'i32',
  /** packTaps' for each row and each column of the output. */
  rowTaps: 'i32',
  columnTaps: 'i32',
  y: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/**
 * Bilinear interpolation for the output pixels [m0, m1) (row-major): each neighbour times the distances to the opposite ones,
 * the upper left one first. Bytes are cut off (onnxruntime's Resize), and are their own grid's.
 */
export function emitResizeLinear(
  library: KernelLibrary,
  spec: ResizeLinearSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('resize linear', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const flip = f.let(i8x16.splat(i32.shl(i32.eq(library.mode, MODE.s8), 7)));
      const outY = f.let(i32.divU(p.m0, spec.outWidth));
      const outX = f.let(i32.sub(p.m0, i32.mul(outY, spec.outWidth)));
      const channel = f.local('i32');
      f.increment(p.y, i32.mul(p.m0, spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        const row = f.let(i32.add(p.rowTaps, i32.mul(outY, TAP_BYTES)));
        const column = f.let(i32.add(p.columnTaps, i32.mul(outX, TAP_BYTES)));
        const corners = emitCorners(f, p.x, row, column);
        f.set(channel, 0);
        const bytes = Math.min(spec.xStride, spec.yStride);
        f.whileBelow(channel, bytes, spec.elementBytes === 1 ? 8 : 16, () => {
          const to = f.let(i32.add(p.y, channel));
          if (spec.elementBytes === 4) {
            const values = corners.map(({ address, weight }) =>
              f32x4.mul(weight, v128.load(i32.add(address, channel))),
            );
            f.do(v128.store(to, sumInOrder(values)));
          } else f.do(v128.store64Lane(to, emitBytes(f, corners, channel, flip), 0));
        });
        f.increment(p.y, spec.yStride);
        f.increment(outX, 1);
        f.if(i32.eq(outX, spec.outWidth), () => {
          f.set(outX, 0);
          f.increment(outY, 1);
        });
      });
    }),
  );
}

interface Corner {
  readonly address: Local<'i32'>;
  readonly weight: Local<'v128'>;
}

/** Upper left, upper right, lower left, lower right. */
function emitCorners(
  f: FunctionBuilder,
  x: Local<'i32'>,
  row: Local<'i32'>,
  column: Local<'i32'>,
): readonly Corner[] {
  const sides = [
    { place: TAP.near, weight: TAP.toFar },
    { place: TAP.far, weight: TAP.toNear },
  ];
  return sides.flatMap((vertical) =>
    sides.map((horizontal) => {
      const offset = i32.add(i32.load(row, vertical.place), i32.load(column, horizontal.place));
      const weight = f32.mul(f32.load(column, horizontal.weight), f32.load(row, vertical.weight));
      return { address: f.let(i32.add(x, offset)), weight: f.let(f32x4.splat(weight)) };
    }),
  );
}

function sumInOrder(values: readonly Expr<'v128'>[]): Expr<'v128'> {
  return values.reduce((sum, value) => f32x4.add(sum, value));
}

/** Eight interpolated bytes in the lower half of a vector. */
function emitBytes(
  f: FunctionBuilder,
  corners: readonly Corner[],
  channel: Local<'i32'>,
  flip: Local<'v128'>,
): Expr<'v128'> {
  const values = corners.map(({ address, weight }) => {
    const bytes = f.let(v128.xor(v128.load64Zero(i32.add(address, channel)), flip));
    return emitFloats(f, bytes).map((half) => f.let(f32x4.mul(weight, half)));
  });
  const [low, high] = [0, 1].map((half) =>
    i32x4.truncSatF32x4S(sumInOrder(values.map((halves) => halves[half]!))),
  ) as [Expr<'v128'>, Expr<'v128'>];
  const words = f.let(i16x8.narrowI32x4S(low, high));
  return v128.xor(i8x16.narrowI16x8U(words, words), flip);
}
