import { f32, i32, type Expr, type FunctionRef, type Statement } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

/** What becomes of an index (0 or more): float32, what is left in 8 bits, its quotient by a number or the rest. */
export type IndexMap =
  | { readonly kind: 'float32' | 'uint8' }
  | { readonly kind: 'quotient' | 'remainder'; readonly by: number };

export interface MapIndicesSpec {
  readonly map: IndexMap;
  readonly columns: number;
  /** Elements from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** Each i32 of rows [m0, m1) through a function; all results but float32 are i32. */
export function emitMapIndices(
  library: KernelLibrary,
  spec: MapIndicesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('map indices', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, y, m0, m1 }) => {
      const at = f.local('i32');
      f.increment(x, i32.mul(m0, 4 * spec.xStride));
      f.increment(y, i32.mul(m0, 4 * spec.yStride));
      f.whileBelow(m0, m1, 1, () => {
        f.set(at, 0);
        f.whileBelow(at, 4 * spec.columns, 4, () =>
          f.do(store(spec.map, i32.add(y, at), i32.load(i32.add(x, at)))),
        );
        f.increment(x, 4 * spec.xStride);
        f.increment(y, 4 * spec.yStride);
      });
    }),
  );
}

function store(map: IndexMap, to: Expr<'i32'>, value: Expr<'i32'>): Statement {
  switch (map.kind) {
    case 'float32':
      return f32.store(to, f32.convertI32S(value));
    case 'uint8':
      return i32.store(to, i32.and(value, 0xff));
    case 'quotient':
      return i32.store(to, i32.divU(value, map.by));
    case 'remainder':
      return i32.store(to, i32.remU(value, map.by));
  }
}
