import {
  i32,
  type Arguments,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
  type Params,
} from '../../../wasm/index.ts';

/** What every tile function takes besides its own parameters: how many tiles below each other to compute. */
export type TileParams<P extends Params> = P & { readonly count: 'i32' };

/** Numbers of rows that a kernel is called with; undefined: any. */
export type RowCounts = readonly number[] | undefined;

/** Heights of the tiles, at most `height`, that cover these numbers of rows. */
export function tileHeights(rowCounts: RowCounts, height: number): readonly number[] {
  const all = Array.from({ length: height }, (_, index) => index + 1);
  if (rowCounts === undefined) return all;
  const occurring = rowCounts.flatMap((rows) => {
    const tiles = Math.ceil(rows / height);
    const low = Math.floor(rows / tiles);
    return rows > low * tiles ? [low, low + 1] : [low];
  });
  return all.filter((candidate) => occurring.includes(candidate));
}

/**
 * Emits the calls that cover `rows` rows with tiles of at most `height` rows: ⌈rows / height⌉ tiles whose heights
 * differ by at most one, so that no row is left to a slow narrow tile (8 rows are 4 + 4, not 6 + 2).
 *
 * `heights` are those of tileHeights, `tile(height)` is the function for one. `advance` moves the arguments behind a number of rows.
 */
export function emitRowTiles<P extends Params>(
  f: FunctionBuilder,
  options: {
    rows: Local<'i32'>;
    height: number;
    heights: readonly number[];
    tile: (height: number) => FunctionRef<TileParams<P>, undefined>;
    args: Omit<Arguments<TileParams<P>>, 'count'>;
    advance: (rows: Local<'i32'>) => void;
  },
): void {
  const { rows, height, heights, tile, args, advance } = options;
  const tiles = f.let(i32.divU(i32.add(rows, height - 1), height));
  f.if(tiles, () => {
    const low = f.let(i32.divU(rows, tiles));
    const tall = f.let(i32.sub(rows, i32.mul(low, tiles)));
    const callTiles = (tileHeight: Local<'i32'>, count: Local<'i32'>): void => {
      for (const candidate of heights) {
        f.if(i32.eq(tileHeight, candidate), () => {
          f.call(tile(candidate), { ...args, count } as unknown as Arguments<TileParams<P>>);
        });
      }
    };
    f.if(tall, () => {
      const tallHeight = f.let(i32.add(low, 1));
      callTiles(tallHeight, tall);
      advance(f.let(i32.mul(tallHeight, tall)));
    });
    f.set(tiles, i32.sub(tiles, tall));
    callTiles(low, tiles);
  });
}
