import { i32, select, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface GatherElementsSpec {
  /** Rows of x that a group has to choose from. */
  readonly extent: number;
  /** Rows of the indices, and of y, for each group. */
  readonly count: number;
  readonly columns: number;
  /** Elements of 32 bits from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', indices: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/**
 * Rows [m0, m1) of y: in each column the element that x has there in the row, of the group's, that the indices (i32 without gaps) name. An
 * index beyond the end is taken for the last.
 */
export function emitGatherElements(
  library: KernelLibrary,
  spec: GatherElementsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { extent, count, columns } = spec;
  const xBytes = 4 * spec.xStride;
  return library.once('gather elements', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, indices, y, m0, m1 }) => {
      const [group, index, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
      f.increment(indices, i32.mul(m0, 4 * columns));
      f.increment(y, i32.mul(m0, 4 * spec.yStride));
      f.whileBelow(m0, m1, 1, () => {
        f.set(group, i32.add(x, i32.mul(i32.divU(m0, count), extent * xBytes)));
        f.set(at, 0);
        f.whileBelow(at, 4 * columns, 4, () => {
          f.set(index, i32.load(i32.add(indices, at)));
          f.set(index, select(index, i32.const(extent - 1), i32.ltU(index, extent)));
          const from = i32.add(i32.add(group, i32.mul(index, xBytes)), at);
          f.do(i32.store(i32.add(y, at), i32.load(from)));
        });
        f.increment(indices, 4 * columns);
        f.increment(y, 4 * spec.yStride);
      });
    }),
  );
}
