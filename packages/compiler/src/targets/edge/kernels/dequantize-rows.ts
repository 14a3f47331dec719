import { f32x4, i32, i8x16, v128, type FunctionRef } from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { emitFloats, type ByteGrid } from './requantize.ts';
import { roundUp } from './vector-code.ts';

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
