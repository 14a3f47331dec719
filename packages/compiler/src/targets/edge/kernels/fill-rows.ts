import { i32, v128, type FunctionRef } from '../../../wasm/index.ts';
import { emitPadding } from './gather-patches.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface FillRowsSpec {
  readonly elementBytes: 1 | 4;
  /** Bytes from row to row. */
  readonly stride: number;
  readonly value: number;
}

const PARAMS = { y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** y = value for rows [m0, m1), padding included. */
export function emitFillRows(
  library: KernelLibrary,
  spec: FillRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('fill rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const isFloat = spec.elementBytes === 4;
      const vector = isFloat ? f.let(library.splat(spec.value)) : emitPadding(library, f, spec.value);
      const at = f.let(i32.mul(p.m0, spec.stride));
      f.whileBelow(at, i32.mul(p.m1, spec.stride), 8, () =>
        f.do(v128.store64Lane(i32.add(p.y, at), vector, 0)),
      );
    }),
  );
}
