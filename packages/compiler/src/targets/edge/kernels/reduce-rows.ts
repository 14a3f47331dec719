import { f32x4, i32, v128, type Expr, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { roundUp } from './vector-code.ts';

export type Reduction = 'sum' | 'mean' | 'min' | 'max' | 'product';

export interface ReduceRowsSpec {
  readonly reduction: Reduction;
  readonly columns: number;
  /** Rows of the output. */
  readonly groups: number;
  /** Rows of x for each of them, one behind the other. */
  readonly rows: number;
  /** Floats from row to row. */
  readonly xStride: number;
  readonly yStride: number;
}

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** What the first row is combined with, and how. */
const REDUCTIONS: Readonly<
  Record<Reduction, { start: number; combine: (a: Expr<'v128'>, b: Expr<'v128'>) => Expr<'v128'> }>
> = {
  sum: { start: 0, combine: f32x4.add },
  mean: { start: 0, combine: f32x4.add },
  min: { start: Infinity, combine: f32x4.min },
  max: { start: -Infinity, combine: f32x4.max },
  product: { start: 1, combine: f32x4.mul },
};

/**
 * Rows [m0, m1) of the output: each combines the rows of its group, column by column and in their order; the mean is
 * the sum times 1/rows in float32.
 */
export function emitReduceRows(
  library: KernelLibrary,
  spec: ReduceRowsSpec,
): FunctionRef<typeof PARAMS, undefined> {
  const { reduction, columns, groups, rows } = spec;
  const { start, combine } = REDUCTIONS[reduction];
  const [xStride, yStride] = [4 * spec.xStride, 4 * spec.yStride];
  return library.once('reduce rows', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const column = f.local('i32');
      const from = f.local('i32');
      const end = f.local('i32');
      const results = [f.local('v128'), f.local('v128')] as const;
      const reduceGroup = (): void =>
        f.whileBelow(column, 4 * roundUp(columns, 8), 32, () => {
          for (const result of results) f.set(result, start === 0 ? v128.zero() : library.splat(start));
          f.set(from, i32.add(p.x, column));
          f.set(end, i32.add(from, rows * xStride));
          f.whileBelow(from, end, xStride, () =>
            results.forEach((result, half) => f.set(result, combine(result, v128.load(from, 16 * half)))),
          );
          results.forEach((result, half) => {
            const value =
              reduction === 'mean' ? f32x4.mul(result, library.splat(Math.fround(1 / rows))) : result;
            f.do(v128.store(i32.add(p.y, column), value, 16 * half));
          });
        });
      if (groups === 1) return reduceGroup();
      f.increment(p.x, i32.mul(p.m0, rows * xStride));
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(column, 0);
        reduceGroup();
        f.increment(p.x, rows * xStride);
        f.increment(p.y, yStride);
      });
    }),
  );
}
