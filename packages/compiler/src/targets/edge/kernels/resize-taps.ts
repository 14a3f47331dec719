import { f32x4, i32, v128, type Expr, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface ResizeTapsSpec {
  /** Positions that an output reads along each axis. */
  readonly taps: number;
  /** Bytes from pixel to pixel: multiples of 32. */
  readonly xStride: number;
  readonly yStride: number;
  /** Of the output map. */
  readonly outWidth: number;
}

/** Where an output position reads along one axis, and how much of each. */
export interface Taps {
  readonly positions: readonly number[];
  readonly weights: readonly number[];
}

/** Taps as the kernel reads them, all of one number; `step` is the bytes from one position to the next. */
export function packManyTaps(all: readonly Taps[], step: number): Int32Array {
  const count = all[0]!.positions.length;
  const packed = new Int32Array(2 * count * all.length);
  const floats = new Float32Array(packed.buffer);
  all.forEach(({ positions, weights }, index) => {
    packed.set(
      positions.map((position) => position * step),
      2 * count * index,
    );
    floats.set(weights, 2 * count * index + count);
  });
  return packed;
}

const PARAMS = {
  x: 'i32',
  /** packManyTaps' for each row and each column of the output. */
  rowTaps: 'i32',
  columnTaps: 'i32',
  y: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/**
 * Separable interpolation of float32 for the output pixels [m0, m1) (row-major): along a row first, then the rows, each
 * sum from its first tap on.
 */
export function emitResizeTaps(
  library: KernelLibrary,
  spec: ResizeTapsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('resize taps', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const { taps, outWidth, yStride } = spec;
      const outY = f.let(i32.divU(p.m0, outWidth));
      const outX = f.let(i32.sub(p.m0, i32.mul(outY, outWidth)));
      const [channel, row, column] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const from = f.local('i32');
      const sum = f.local('v128');
      const part = f.local('v128');
      const weightAt = (list: Local<'i32'>, tap: number): Expr<'v128'> =>
        v128.load32Splat(list, 4 * (taps + tap));
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(row, i32.add(p.rowTaps, i32.mul(outY, 8 * taps)));
        f.set(column, i32.add(p.columnTaps, i32.mul(outX, 8 * taps)));
        f.set(channel, 0);
        f.whileBelow(channel, Math.min(spec.xStride, yStride), 16, () => {
          for (let y = 0; y < taps; y++) {
            f.set(from, i32.add(i32.add(p.x, channel), i32.load(row, 4 * y)));
            for (let x = 0; x < taps; x++) {
              const value = v128.load(i32.add(from, i32.load(column, 4 * x)));
              const product = f32x4.mul(weightAt(column, x), value);
              f.set(part, x === 0 ? product : f32x4.add(part, product));
            }
            const product = f32x4.mul(weightAt(row, y), part);
            f.set(sum, y === 0 ? product : f32x4.add(sum, product));
          }
          f.do(v128.store(i32.add(p.y, channel), sum));
        });
        f.increment(p.y, yStride);
        f.increment(outX, 1);
        f.if(i32.eq(outX, outWidth), () => {
          f.set(outX, 0);
          f.increment(outY, 1);
        });
      });
    }),
  );
}
