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

/**
 * Emits the calls that cover `rows` rows with tiles of at most `height` rows: ⌈rows / height⌉ tiles whose heights
 * differ by at most one, so that no row is left to a slow narrow tile (8 rows are 4 + 4, not 6 + 2).
 *
 * `tile(height)` is the function for one height. `advance` moves the arguments behind a number of rows.
 */
export function emitRowTiles<P extends Params>(
  f: FunctionBuilder,
  options: {
    rows: Local<'i32'>;
    height: number;
    tile: (height: number) => FunctionRef<TileParams<P>, undefined>;
    args: Omit<Arguments<TileParams<P>>, 'count'>;
    advance: (rows: Local<'i32'>) => void;
  },
): void {
  const { rows, height, tile, args, advance } = options;
  const tiles = f.let(i32.divU(i32.add(rows, height - 1), height));
  f.if(tiles, () => {
    const low = f.let(i32.divU(rows, tiles));
    const tall = f.let(i32.sub(rows, i32.mul(low, tiles)));
    const callTiles = (tileHeight: Local<'i32'>, count: Local<'i32'>): void => {
      for (let candidate = 1; candidate <= height; candidate++) {
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
