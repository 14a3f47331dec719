import { i32, select, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface GatherRowsSpec {
  /** Of x, for each column of the indices: how many places it counts, and the rows from one to the next; outermost first. */
  readonly axes: readonly { readonly extent: number; readonly rows: number }[];
  readonly columns: number;
  /** Elements of 32 bits from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', indices: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/**
 * Row m of y = the row of x that row m of the indices (i32 without gaps) names, for rows [m0, m1). An index beyond the end is taken
 * for the last.
 */
export function emitGatherRows(
  library: KernelLibrary,
  spec: GatherRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { axes, columns } = spec;
  return library.once('gather rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, indices, y, m0, m1 }) => {
      const [from, index, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
      f.increment(indices, i32.mul(m0, 4 * axes.length));
      f.increment(y, i32.mul(m0, 4 * spec.yStride));
      f.whileBelow(m0, m1, 1, () => {
        f.set(from, x);
        axes.forEach(({ extent, rows }, axis) => {
          f.set(index, i32.load(indices, 4 * axis));
          f.set(index, select(index, i32.const(extent - 1), i32.ltU(index, extent)));
          f.increment(from, i32.mul(index, 4 * rows * spec.xStride));
        });
        f.set(at, 0);
        f.whileBelow(at, 4 * columns, 4, () => f.do(i32.store(i32.add(y, at), i32.load(i32.add(from, at)))));
        f.increment(indices, 4 * axes.length);
        f.increment(y, 4 * spec.yStride);
      });
    }),
  );
}
