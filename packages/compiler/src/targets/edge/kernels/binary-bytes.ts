import {
  f32x4,
  f64x2,
  i32,
  i8x16,
  v128,
  type Expr,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitByteLimits, emitFlip, emitFloats, emitToStoredBytes, type Halves } from './requantize.ts';
import { needsFusing, sumOfBytes, type ByteGrids } from './sum-of-bytes.ts';
import { roundUp } from './vector-code.ts';

export interface BinaryBytesSpec extends ByteGrids {
  readonly operator: 'add' | 'mul';
  readonly columns: number;
  /** Bytes from row to row; 0 repeats b's only row. */
  readonly aStride: number;
  readonly bStride: number;
  readonly yStride: number;
}

const PARAMS = { a: 'i32', b: 'i32', y: 'i32', scratch: 'i32', m0: 'i32', m1: 'i32' } as const;

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
  const emitAnySum = (): Combine => (needsFusing(sumOfBytes(spec)) ? emitFusedSum : emitSum);
  return library.once('binary bytes', spec, (name) => {
    const combine = spec.operator === 'add' ? emitAnySum() : emitProduct;
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      // The zero point is added before rounding.
      emitByteLimits(library, f, p.scratch, 0);
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
          f.do(v128.store64Lane(i32.add(p.y, at), emitToStoredBytes(library, p.scratch, steps), 0));
        });
        f.increment(p.a, spec.aStride);
        f.increment(p.b, spec.bStride);
        f.increment(p.y, spec.yStride);
      });
    });
  });
}

/** Bytes as floats to steps of the output's grid, its zero point included. */
type Combine = (library: KernelLibrary, grids: ByteGrids, a: Local<'v128'>, b: Local<'v128'>) => Expr<'v128'>;

const emitSum: Combine = (library, grids, a, b) => {
  const { ratioA, ratioB, fixed } = sumOfBytes(grids);
  return f32x4.add(
    f32x4.add(library.splat(fixed), f32x4.mul(a, library.splat(ratioA))),
    f32x4.mul(b, library.splat(ratioB)),
  );
};

/** The same without rounding products, two lanes at a time in float64. */
const emitFusedSum: Combine = (library, grids, a, b) => {
  const { ratioA, ratioB, fixed } = sumOfBytes(grids);
  const multiplyAdd = (x: Expr<'v128'>, ratio: number, addend: Expr<'v128'>): Expr<'v128'> => {
    const product = f64x2.mul(f64x2.promoteLowF32x4(x), f64x2.promoteLowF32x4(library.splat(ratio)));
    return f32x4.demoteF64x2Zero(f64x2.add(product, f64x2.promoteLowF32x4(addend)));
  };
  const sum = (x: Expr<'v128'>, y: Expr<'v128'>): Expr<'v128'> =>
    multiplyAdd(x, ratioA, multiplyAdd(y, ratioB, library.splat(fixed)));
  const [high, joined] = [range(8, 16).concat(range(0, 8)), range(0, 8).concat(range(16, 24))];
  return i8x16.shuffle(sum(a, b), sum(i8x16.shuffle(a, a, high), i8x16.shuffle(b, b, high)), joined);
};

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

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
