import { f32, i32, type FunctionRef } from '../../../wasm/index.ts';
import { emitBuildHeap, emitTakeTop } from './index-heap.ts';
import type { KernelLibrary } from './kernel-library.ts';

export interface TopKRowsSpec {
  /** The largest values of a row, or the smallest. */
  readonly largest: boolean;
  readonly columns: number;
  /** At most `columns`. */
  readonly k: number;
  /** Floats from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = {
  x: 'i32',
  /** Values, best first. */
  y: 'i32',
  /** Their columns, k i32 a row without gaps. */
  indices: 'i32',
  /** topKScratchBytes bytes. */
  scratch: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

export function topKScratchBytes(columns: number): number {
  return 4 * columns;
}

/** The k best values of rows [m0, m1) in order, of equal ones the one with the lowest column first. */
export function emitTopKRows(
  library: KernelLibrary,
  spec: TopKRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { largest, columns, k } = spec;
  return library.once('top k rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { x, y, indices, scratch, m0, m1 }) => {
      const [column, count, to] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const heap = { heap: scratch, count, values: x };
      f.increment(x, i32.mul(m0, 4 * spec.xStride));
      f.increment(y, i32.mul(m0, 4 * spec.yStride));
      f.increment(indices, i32.mul(m0, 4 * k));
      f.whileBelow(m0, m1, 1, () => {
        f.set(column, 0);
        f.whileBelow(column, columns, 1, () => f.do(i32.store(i32.add(scratch, i32.shl(column, 2)), column)));
        f.set(count, columns);
        emitBuildHeap(library, f, heap, largest);
        f.set(to, 0);
        f.whileBelow(to, 4 * k, 4, () => {
          const best = emitTakeTop(library, f, heap, largest);
          f.do(i32.store(i32.add(indices, to), best));
          f.do(f32.store(i32.add(y, to), f32.load(i32.add(x, i32.shl(best, 2)))));
        });
        f.increment(x, 4 * spec.xStride);
        f.increment(y, 4 * spec.yStride);
        f.increment(indices, 4 * k);
      });
    }),
  );
}
