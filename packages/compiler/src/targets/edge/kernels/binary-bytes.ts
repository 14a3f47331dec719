import { f32x4, i32, v128, type Expr, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  emitByteLimits,
  emitFlip,
  emitFloats,
  emitToBytes,
  type ByteGrid,
  type Halves,
} from './requantize.ts';
import { roundUp } from './vector-code.ts';

export interface ByteGrids {
  readonly a: ByteGrid;
  readonly b: ByteGrid;
  readonly output: ByteGrid;
}

export interface BinaryBytesSpec extends ByteGrids {
  readonly operator: 'add' | 'mul';
  readonly columns: number;
  /** Bytes from row to row; 0 repeats b's only row. */
  readonly aStride: number;
  readonly bStride: number;
  readonly yStride: number;
}

const PARAMS = { a: 'i32', b: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

/** The constants of QLinearAdd: round(a·ratioA + b·ratioB + fixed), everything in float32. */
export function addBytesConstants({ a, b, output }: ByteGrids): {
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

/** The factor of QLinearMul: round((a − zero)·(b − zero)·ratio + zero). */
export function multiplyBytesRatio({ a, b, output }: ByteGrids): number {
  const { fround } = Math;
  return fround(fround(fround(a.scale) * fround(b.scale)) / fround(output.scale));
}

/** y = a ∘ b on their grids (com.microsoft QLinearAdd and QLinearMul, x86) for rows [m0, m1). y may be a or b. */
export function emitBinaryBytes(
  library: KernelLibrary,
  spec: BinaryBytesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('binary bytes', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      // The zero point is added before rounding.
      emitByteLimits(library, f, p.scratch, 0);
      const combine = spec.operator === 'add' ? emitSum : emitProduct;
      f.increment(p.a, i32.mul(p.m0, spec.aStride));
      f.increment(p.b, i32.mul(p.m0, spec.bStride));
      f.increment(p.y, i32.mul(p.m0, spec.yStride));
      const at = f.local('i32');
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(at, 0);
        f.whileBelow(at, roundUp(spec.columns, 8), 8, () => {
          const [a, b] = [p.a, p.b].map((pointer) =>
            emitFloats(f, emitFlip(p.scratch, v128.load64Zero(i32.add(pointer, at)))),
          ) as [Halves, Halves];
          const steps = a.map((half, j) => combine(library, spec, half, b[j as 0 | 1])) as [
            Expr<'v128'>,
            Expr<'v128'>,
          ];
          f.do(v128.store64Lane(i32.add(p.y, at), emitToBytes(library, p.scratch, steps), 0));
        });
        f.increment(p.a, spec.aStride);
        f.increment(p.b, spec.bStride);
        f.increment(p.y, spec.yStride);
      });
    }),
  );
}

/** Bytes as floats to steps of the output's grid, its zero point included. */
type Combine = (library: KernelLibrary, grids: ByteGrids, a: Local<'v128'>, b: Local<'v128'>) => Expr<'v128'>;

const emitSum: Combine = (library, grids, a, b) => {
  const { ratioA, ratioB, fixed } = addBytesConstants(grids);
  return f32x4.add(
    f32x4.add(library.splat(fixed), f32x4.mul(a, library.splat(ratioA))),
    f32x4.mul(b, library.splat(ratioB)),
  );
};

const emitProduct: Combine = (library, grids, a, b) => {
  const product = f32x4.mul(
    f32x4.sub(a, library.splat(grids.a.zeroPoint)),
    f32x4.sub(b, library.splat(grids.b.zeroPoint)),
  );
  return f32x4.add(
    f32x4.mul(product, library.splat(multiplyBytesRatio(grids))),
    library.splat(grids.output.zeroPoint),
  );
};
