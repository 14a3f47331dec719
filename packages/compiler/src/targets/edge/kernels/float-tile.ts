import { f32x4, i32, v128, type Expr, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitRowTiles, tileHeights, type RowCounts, type TileParams } from './row-tiles.ts';

export interface FloatTileSpec {
  /** Bytes from one row of x to the next. */
  xStride: number;
  /** Products per output; 'dynamic' takes them from the argument k. */
  k: number | 'dynamic';
  /**
   * Nothing; add a vector of eight (`extra`), take the larger of that and 0 as well, or multiply each row by its factor
   * (`extra`, one float per row).
   */
  finish: 'none' | 'bias' | 'bias, relu' | 'row factor';
}

const ROWS_PARAMS = {
  x: 'i32',
  /** Panels [k][8]. */
  w: 'i32',
  /** Bytes from one panel to the next. */
  wStride: 'i32',
  y: 'i32',
  /** Bytes from one row of y to the next. */
  yStride: 'i32',
  extra: 'i32',
  k: 'i32',
  panels: 'i32',
  rows: 'i32',
} as const;
type Parameters = Omit<typeof ROWS_PARAMS, 'rows'>;
const { rows: _rows, ...PARAMS } = ROWS_PARAMS;
const TILE_PARAMS: TileParams<Parameters> = { ...PARAMS, count: 'i32' };

/**
 * y[r][0…8) = Σ_k x[r][k]·w[k][0…8) (in the order of k, from +0, multiply then add), then + bias or · factor or as it is, for
 * `rows` rows and each of `panels` panels of eight columns, which lie side
 * by side in y.
 */
export function emitFloatRows(
  library: KernelLibrary,
  spec: FloatTileSpec,
  rowCounts?: RowCounts,
): FunctionRef<typeof ROWS_PARAMS, undefined> {
  const { height: tallest } = library.floatTile;
  const heights = tileHeights(rowCounts, tallest);
  return library.once('float rows', { ...spec, heights }, (name) => {
    const tiles = new Map(heights.map((height) => [height, emitFloatTile(library, spec, height)]));
    return library.module.function(name, { params: ROWS_PARAMS }, (f, p) => {
      const { rows, ...args } = p;
      emitRowTiles(f, {
        rows,
        height: tallest,
        heights,
        tile: (height) => tiles.get(height)!,
        args,
        advance: (done) => {
          f.increment(args.x, i32.mul(done, spec.xStride));
          f.increment(args.y, i32.mul(done, args.yStride));
          if (spec.finish === 'row factor') f.increment(args.extra, i32.shl(done, 2));
        },
      });
    });
  });
}

function emitFloatTile(
  library: KernelLibrary,
  spec: FloatTileSpec,
  height: number,
): FunctionRef<TileParams<Parameters>, undefined> {
  const { unroll } = library.floatTile;
  return library.once('float tile', { ...spec, height }, (name) =>
    library.module.function(name, { params: TILE_PARAMS }, (f, p) => {
      const sums = Array.from({ length: height }, () => [f.local('v128'), f.local('v128')] as const);
      const weights = [f.local('v128'), f.local('v128')] as const;
      const row = f.local('v128');
      const [x, y, extra, tiles] = [0, 1, 2, 3].map(() => f.local('i32')) as [
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
      ];
      const xAt = f.local('i32');
      const wAt = f.local('i32');
      const end = f.local('i32');
      const lastTurn = f.local('i32');
      f.loop((nextPanel) => {
        f.set(x, p.x);
        f.set(y, p.y);
        f.set(extra, p.extra);
        f.set(tiles, p.count);
        f.loop((nextTile) => {
          for (const sum of sums) for (const s of sum) f.set(s, v128.zero());
          f.set(xAt, x);
          f.set(wAt, p.w);
          f.set(end, i32.add(x, spec.k === 'dynamic' ? i32.shl(p.k, 2) : 4 * spec.k));
          const step = (index: number): void => {
            weights.forEach((weight, j) => f.set(weight, v128.load(wAt, 32 * index + 16 * j)));
            sums.forEach((sum, r) => {
              f.set(row, v128.load32Splat(xAt, 4 * index + r * spec.xStride));
              sum.forEach((s, j) => f.set(s, f32x4.add(s, f32x4.mul(row, weights[j] as Local<'v128'>))));
            });
          };
          f.set(lastTurn, i32.sub(end, 4 * (unroll - 1)));
          f.whileBelow(xAt, lastTurn, 4 * unroll, () => {
            for (let index = 0; index < unroll; index++) step(index);
            f.increment(wAt, 32 * unroll);
          });
          f.whileBelow(xAt, end, 4, () => {
            step(0);
            f.increment(wAt, 32);
          });
          sums.forEach((sum, r) => {
            if (spec.finish === 'row factor') f.set(row, v128.load32Splat(extra, 4 * r));
            sum.forEach((s, j) => {
              f.do(v128.store(y, finished(spec, s, row, v128.load(extra, 16 * j)), 16 * j));
            });
            f.increment(y, p.yStride);
          });
          f.increment(x, height * spec.xStride);
          if (spec.finish === 'row factor') f.increment(extra, 4 * height);
          f.increment(tiles, -1);
          f.branchIf(nextTile, tiles);
        });
        f.increment(p.w, p.wStride);
        f.increment(p.y, 32);
        if (spec.finish !== 'row factor') f.increment(p.extra, 32);
        f.increment(p.panels, -1);
        f.branchIf(nextPanel, p.panels);
      });
    }),
  );
}

function finished(
  { finish }: FloatTileSpec,
  sum: Local<'v128'>,
  factor: Local<'v128'>,
  bias: Expr<'v128'>,
): Expr<'v128'> {
  if (finish === 'none') return sum;
  if (finish === 'row factor') return f32x4.mul(sum, factor);
  const biased = f32x4.add(sum, bias);
  return finish === 'bias' ? biased : f32x4.pmax(v128.zero(), biased);
}
