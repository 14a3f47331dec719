import { f32x4, i32, v128, type Expr, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  emitByteLimits,
  emitFlip,
  emitFloats,
  emitToBytes,
  type ByteGrid,
  type Halves,
} from './requantize.ts';

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
