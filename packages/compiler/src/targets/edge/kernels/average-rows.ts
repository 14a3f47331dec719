import { f32x4, i32, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { roundUp } from './vector-code.ts';

export interface AverageRowsSpec {
  readonly columns: number;
  readonly rows: number;
  /** Floats from row to row of x. */
  readonly xStride: number;
}

const PARAMS = { x: 'i32', y: 'i32' } as const;

/** The mean over all rows, column by column: the sum from +0 in the order of the rows, times 1/rows in float32. */
export function emitAverageRows(
  library: KernelLibrary,
  spec: AverageRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('average rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const column = f.local('i32');
      const from = f.local('i32');
      const end = f.local('i32');
      const sums = [f.local('v128'), f.local('v128')] as const;
      f.whileBelow(column, 4 * roundUp(spec.columns, 8), 32, () => {
        for (const sum of sums) f.set(sum, v128.zero());
        f.set(from, i32.add(p.x, column));
        f.set(end, i32.add(from, 4 * spec.rows * spec.xStride));
        f.whileBelow(from, end, 4 * spec.xStride, () =>
          sums.forEach((sum, half) => f.set(sum, f32x4.add(sum, v128.load(from, 16 * half)))),
        );
        const factor = library.splat(Math.fround(1 / spec.rows));
        sums.forEach((sum, half) =>
          f.do(v128.store(i32.add(p.y, column), f32x4.mul(sum, factor), 16 * half)),
        );
      });
    }),
  );
}
