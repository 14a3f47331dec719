import {
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Arguments,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
  type ParamLocals,
} from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { pairFlagWords, type PairForm } from './pair-flags.ts';
import { emitRowTiles, tileHeights, type RowCounts, type TileParams } from './row-tiles.ts';

/** Columns of a panel of packed weights; a panel is two vectors of four columns. */
export const PANEL_COLUMNS = 8;

/**
 * How a tile multiplies: one dot per 16 products; pair sums in 16 bits, of one step or, where a flag allows it, of two; or
 * widened to 16 bits, also for a single row ('row') with weights that are not widened before, since nobody else reads them.
 */
export type DotForm = 'dot' | 'pairs' | 'fused pairs' | 'i16' | 'row';

/** How mode `pairs` multiplies weights of each form. */
export const PAIR_DOTS: Readonly<Record<Exclude<PairForm, 'none'>, DotForm>> = {
  single: 'pairs',
  fused: 'fused pairs',
};

export interface Int8TileSpec {
  form: DotForm;
  /** Products per output, a multiple of 4. */
  k: number;
  /** Bytes from one row of activations to the next. */
  xStride: number;
}

const ROWS_PARAMS = {
  /** Activations: bytes, or i16 in forms i16 and row. */
  x: 'i32',
  /** One panel of weights: [k/4][8][4] bytes, or [k/2][8][2] i16 in form i16. */
  w: 'i32',
  y: 'i32',
  /** Bytes from one row of y to the next. */
  yStride: 'i32',
  /** This panel's words of packInt8's flags; only form 'fused pairs' reads them. */
  pairFlags: 'i32',
} as const;

type Pointers = Readonly<Record<string, 'i32'>>;

/** What a tile does with its exact sums. */
export interface TileEpilogue<P extends Pointers> {
  /** Tells epilogues apart; their parameters are the same for the same name. */
  readonly name: string;
  readonly params: P;
  /** Of the parameters that go from row to row: bytes per row. */
  readonly rowBytes: { readonly [K in keyof P]?: number };
  /** What the sums of a row begin with, four columns of each half. Default: zeros. */
  readonly first?: (p: Pick<TilePointers<P>, keyof P>, half: 0 | 1) => Expr<'v128'>;
  /** Writes the tile's rows at y and moves y behind them. */
  emit(f: FunctionBuilder, p: TilePointers<P>, sums: Sums): void;
}

type RowsParams<P extends Pointers> = typeof ROWS_PARAMS & P;
export type TilePointers<P extends Pointers> = ParamLocals<TileParams<RowsParams<P>>>;

/** Integer sums of a tile's rows, two vectors of four columns each. */
export type Sums = readonly (readonly [Local<'v128'>, Local<'v128'>])[];

/** Rows of the largest tile: what fits into the 15 vector registers that V8 uses on x86. */
const HEIGHT = { dot: 6, pairs: 4, 'fused pairs': 4, i16: 5, row: 1 } as const;

/** Steps in one turn of the loop over k: fewer tests for the form whose steps are shortest. */
const UNROLL = { dot: 1, pairs: 1, i16: 2 } as const;

/** Computes `rows` rows and one panel of eight columns: exact sums Σ x·w, which the epilogue turns into y. */
export function emitInt8Rows<P extends Pointers>(
  library: KernelLibrary,
  spec: Int8TileSpec,
  epilogue: TileEpilogue<P>,
  rowCounts?: RowCounts,
): FunctionRef<RowsParams<P> & { readonly rows: 'i32' }, undefined> {
  const params = { ...ROWS_PARAMS, ...epilogue.params, rows: 'i32' } as const;
  const height = HEIGHT[spec.form];
  const heights = tileHeights(rowCounts, height);
  return library.once(`int8 rows, ${epilogue.name}`, { ...spec, heights }, (name) => {
    const tiles = new Map(
      heights.map((tileHeight) => [tileHeight, emitInt8Tile(library, spec, epilogue, tileHeight)]),
    );
    return library.module.function(name, { params }, (f, p) => {
      const { rows, ...args } = p as unknown as ParamLocals<RowsParams<P> & { rows: 'i32' }>;
      emitRowTiles(f, {
        rows,
        height,
        heights,
        tile: (tileHeight) => tiles.get(tileHeight)!,
        args: args as unknown as Omit<Arguments<TileParams<RowsParams<P>>>, 'count'>,
        advance: (done) => advanceRows(f, spec, epilogue, args as unknown as TilePointers<P>, done),
      });
    });
  });
}

function advanceRows<P extends Pointers>(
  f: FunctionBuilder,
  spec: Int8TileSpec,
  epilogue: TileEpilogue<P>,
  p: TilePointers<P>,
  rows: Local<'i32'>,
): void {
  f.increment(p.x, i32.mul(rows, spec.xStride));
  f.increment(p.y, i32.mul(rows, p.yStride));
  for (const [name, bytes] of rowParameters(epilogue)) f.increment(p[name], i32.mul(rows, bytes));
}

function rowParameters<P extends Pointers>(epilogue: TileEpilogue<P>): [keyof P, number][] {
  return Object.entries(epilogue.rowBytes) as [keyof P, number][];
}

function emitInt8Tile<P extends Pointers>(
  library: KernelLibrary,
  spec: Int8TileSpec,
  epilogue: TileEpilogue<P>,
  height: number,
): FunctionRef<TileParams<RowsParams<P>>, undefined> {
  const params = { ...ROWS_PARAMS, ...epilogue.params, count: 'i32' } as const;
  return library.once(`int8 tile, ${epilogue.name}`, { ...spec, height }, (name) =>
    library.module.function(name, { params: params as TileParams<RowsParams<P>> }, (f, p) => {
      const sums = Array.from({ length: height }, () => [f.local('v128'), f.local('v128')] as const);
      f.loop((nextTile) => {
        for (const row of sums)
          row.forEach((sum, half) => f.set(sum, epilogue.first?.(p, half as 0 | 1) ?? v128.zero()));
        emitProducts(f, spec, p, sums);
        epilogue.emit(f, p, sums);
        f.increment(p.x, height * spec.xStride);
        for (const [parameter, bytes] of rowParameters(epilogue)) f.increment(p[parameter], height * bytes);
        f.increment(p.count, -1);
        f.branchIf(nextTile, p.count);
      });
    }),
  );
}

/** The code for one or more steps at some offset from the running pointers. */
interface Step {
  /** Bytes that it takes in the activations and in the panel. */
  xBytes: number;
  wBytes: number;
  emit: (x: Local<'i32'>, w: Local<'i32'>, index: number) => void;
}

function emitProducts(
  f: FunctionBuilder,
  spec: Int8TileSpec,
  p: ParamLocals<typeof ROWS_PARAMS>,
  sums: Sums,
): void {
  const x = f.let(p.x);
  const w = f.let(p.w);
  if (spec.form === 'fused pairs') return emitFusedPairs(f, spec, p.pairFlags, x, w, sums);
  if (spec.form === 'row') return emitRow(f, spec, x, w, sums);

  const step = {
    i16: () => i16Step(f, spec, sums),
    dot: () => dotStep(f, spec, sums),
    pairs: () => pairsStep(f, spec, sums, 1),
  }[spec.form]();
  const steps = spec.k / (spec.form === 'i16' ? 2 : 4);
  const unroll = UNROLL[spec.form];
  const turns = Math.floor(steps / unroll);
  if (turns > 0) {
    const end = f.let(i32.add(x, turns * unroll * step.xBytes));
    f.loop((again) => {
      for (let turn = 0; turn < unroll; turn++) step.emit(x, w, turn);
      f.increment(w, unroll * step.wBytes);
      f.increment(x, unroll * step.xBytes);
      f.branchIf(again, i32.ltU(x, end));
    });
  }
  for (let index = 0; index < steps % unroll; index++) step.emit(x, w, index);
}

/** Sums of two columns to a vector, each in two halves, that are added at the end. */
function emitRow(
  f: FunctionBuilder,
  { k }: Int8TileSpec,
  x: Local<'i32'>,
  w: Local<'i32'>,
  [sum]: Sums,
): void {
  const halves = [0, 1, 2, 3].map(() => f.let(v128.zero()));
  const row = f.local('v128');
  const end = f.let(i32.add(x, 2 * k));
  f.loop((again) => {
    f.set(row, v128.load64Splat(x));
    halves.forEach((half, pair) =>
      f.set(half, i32x4.add(half, i32x4.dotI16x8S(row, i16x8.load8x8S(w, 8 * pair)))),
    );
    f.increment(x, 8);
    f.increment(w, 32);
    f.branchIf(again, i32.ltU(x, end));
  });
  sum!.forEach((total, j) => {
    const [a, b] = [halves[2 * j]!, halves[2 * j + 1]!];
    const products = i32x4.add(i8x16.shuffle(a, b, EVEN_LANES), i8x16.shuffle(a, b, ODD_LANES));
    f.set(total, i32x4.add(total, products));
  });
}

const EVEN_LANES = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const ODD_LANES = EVEN_LANES.map((byte) => byte + 4);

/** Two steps at a time, added up in 16 bits where their flag allows it. */
function emitFusedPairs(
  f: FunctionBuilder,
  spec: Int8TileSpec,
  flags: Local<'i32'>,
  x: Local<'i32'>,
  w: Local<'i32'>,
  sums: Sums,
): void {
  const single = pairsStep(f, spec, sums, 1);
  const fused = pairsStep(f, spec, sums, 2);
  const words = pairFlagWords(spec.k);
  if (words > 0) {
    const flag = f.let(flags);
    const end = f.let(i32.add(flags, 4 * words));
    const bits = f.local('i32');
    f.loop((nextWord) => {
      f.set(bits, i32.load(flag));
      f.loop((nextPair) => {
        f.if(
          i32.and(bits, 1),
          () => fused.emit(x, w, 0),
          () => {
            single.emit(x, w, 0);
            single.emit(x, w, 1);
          },
        );
        f.increment(x, fused.xBytes);
        f.increment(w, fused.wBytes);
        f.set(bits, i32.shrU(bits, 1));
        f.branchIf(nextPair, i32.ne(bits, 1));
      });
      f.increment(flag, 4);
      f.branchIf(nextWord, i32.ltU(flag, end));
    });
  }
  if (spec.k % 8 !== 0) single.emit(x, w, 0);
}

function dotStep(f: FunctionBuilder, { xStride }: Int8TileSpec, sums: Sums): Step {
  const weights = [f.local('v128'), f.local('v128')] as const;
  const row = f.local('v128');
  return {
    xBytes: 4,
    wBytes: 32,
    emit: (x, w, index) => {
      weights.forEach((weight, j) => f.set(weight, v128.load(w, 32 * index + 16 * j)));
      sums.forEach((sum, r) => {
        f.set(row, v128.load32Splat(x, 4 * index + r * xStride));
        sum.forEach((s, j) => f.set(s, i32x4.relaxedDotI8x16I7x16AddS(weights[j] as Local<'v128'>, row, s)));
      });
    },
  };
}

function i16Step(f: FunctionBuilder, { xStride }: Int8TileSpec, sums: Sums): Step {
  const weights = [f.local('v128'), f.local('v128')] as const;
  const row = f.local('v128');
  return {
    xBytes: 4,
    wBytes: 32,
    emit: (x, w, index) => {
      weights.forEach((weight, j) => f.set(weight, v128.load(w, 32 * index + 16 * j)));
      sums.forEach((sum, r) => {
        f.set(row, v128.load32Splat(x, 4 * index + r * xStride));
        sum.forEach((s, j) => f.set(s, i32x4.add(s, i32x4.dotI16x8S(row, weights[j] as Local<'v128'>))));
      });
    },
  };
}

/** `group` steps of four k, added up in 16 bits. */
function pairsStep(f: FunctionBuilder, { xStride }: Int8TileSpec, sums: Sums, group: 1 | 2): Step {
  const weights = Array.from({ length: group }, () => [f.local('v128'), f.local('v128')] as const);
  const row = f.local('v128');
  const pairs = [f.local('v128'), f.local('v128')] as const;
  return {
    xBytes: 4 * group,
    wBytes: 32 * group,
    emit: (x, w, index) => {
      weights.forEach((vectors, g) =>
        vectors.forEach((weight, j) => f.set(weight, v128.load(w, 32 * (group * index + g) + 16 * j))),
      );
      sums.forEach((sum, r) => {
        weights.forEach((vectors, g) => {
          f.set(row, v128.load32Splat(x, 4 * (group * index + g) + r * xStride));
          pairs.forEach((pair, j) => {
            const product: Expr<'v128'> = i16x8.relaxedDotI8x16I7x16S(vectors[j] as Local<'v128'>, row);
            f.set(pair, g === 0 ? product : i16x8.add(pair, product));
          });
        });
        sum.forEach((s, j) => f.set(s, i32x4.add(s, i32x4.extaddPairwiseI16x8S(pairs[j] as Local<'v128'>))));
      });
    },
  };
}
