import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitRowTiles, type TileParams } from './row-tiles.ts';

/** Columns of a panel of packed weights; a panel is two vectors of four columns. */
export const PANEL_COLUMNS = 8;

/** How a tile multiplies: one dot per 16 products, pair sums in 16 bits, or widened to 16 bits. */
export type DotForm = 'dot' | 'pairs' | 'i16';

/** How many products a lane of 16 bits may add up before it is widened; see pairGroupOf. */
export type PairGroup = 1 | 2 | 4;

export interface Int8TileSpec {
  form: DotForm;
  /** Products per output, a multiple of 4. */
  k: number;
  /** Bytes from one row of activations to the next. */
  xStride: number;
  pairGroup: PairGroup;
}

const ROWS_PARAMS = {
  /** Activations: bytes, or i16 in form i16. */
  x: 'i32',
  /** One panel of weights: [k/4][8][4] bytes, or [k/2][8][2] i16 in form i16. */
  w: 'i32',
  y: 'i32',
  /** Bytes from one row of y to the next. */
  yStride: 'i32',
  rowScale: 'i32',
  rowZero: 'i32',
  weightScale: 'i32',
  colsum: 'i32',
  bias: 'i32',
  rows: 'i32',
} as const;
type Parameters = Omit<typeof ROWS_PARAMS, 'rows'>;
const { rows: _rows, ...PARAMS } = ROWS_PARAMS;
const TILE_PARAMS: TileParams<Parameters> = { ...PARAMS, count: 'i32' };

/** Rows of the largest tile: what fits into the 15 vector registers that V8 uses on x86. */
const HEIGHT = { dot: 6, pairs: 5, i16: 5 } as const;

/**
 * y[r][0…8) = float(Σ x·w − rowZero·colsum)·rowScale·weightScale + bias for `rows` rows and one panel of eight columns.
 */
export function emitInt8Rows(
  library: KernelLibrary,
  spec: Int8TileSpec,
): FunctionRef<typeof ROWS_PARAMS, undefined> {
  return library.once('int8 rows', spec, (name) => {
    const height = spec.form === 'pairs' && spec.pairGroup > 1 ? 4 : HEIGHT[spec.form];
    const tiles = Array.from({ length: height }, (_, index) => emitInt8Tile(library, spec, index + 1));
    return library.module.function(name, { params: ROWS_PARAMS }, (f, p) => {
      const { rows, ...args } = p;
      emitRowTiles(f, {
        rows,
        height,
        tile: (tileHeight) => tiles[tileHeight - 1] as FunctionRef<TileParams<Parameters>, undefined>,
        args,
        advance: (done) => {
          f.increment(args.x, i32.mul(done, spec.xStride));
          f.increment(args.y, i32.mul(done, args.yStride));
          f.increment(args.rowScale, i32.shl(done, 2));
          f.increment(args.rowZero, i32.shl(done, 2));
        },
      });
    });
  });
}

function emitInt8Tile(
  library: KernelLibrary,
  spec: Int8TileSpec,
  height: number,
): FunctionRef<TileParams<Parameters>, undefined> {
  return library.once('int8 tile', { ...spec, height }, (name) =>
    library.module.function(name, { params: TILE_PARAMS }, (f, p) => {
      const sums = Array.from({ length: height }, () => [f.local('v128'), f.local('v128')] as const);
      f.loop((nextTile) => {
        for (const row of sums) for (const sum of row) f.set(sum, v128.zero());
        emitProducts(f, spec, p, sums);
        emitEpilogue(f, p, sums);
        f.increment(p.x, height * spec.xStride);
        f.increment(p.rowScale, 4 * height);
        f.increment(p.rowZero, 4 * height);
        f.increment(p.count, -1);
        f.branchIf(nextTile, p.count);
      });
    }),
  );
}

type Sums = readonly (readonly [Local<'v128'>, Local<'v128'>])[];

/** Bytes that one group of k-steps takes in the activations and in the panel, and the code for it. */
interface Step {
  xBytes: number;
  wBytes: number;
  emit: (x: Local<'i32'>, w: Local<'i32'>, xOffset: number, wOffset: number) => void;
}

function emitProducts(
  f: FunctionBuilder,
  spec: Int8TileSpec,
  { x, w }: { x: Local<'i32'>; w: Local<'i32'> },
  sums: Sums,
): void {
  const steps = spec.k / (spec.form === 'i16' ? 2 : 4);
  const group = spec.form === 'pairs' ? spec.pairGroup : 1;
  const step = stepOf(f, spec, sums, group);
  const rest = stepOf(f, spec, sums, 1);
  const xAt = f.let(x);
  const wAt = f.let(w);
  const groups = Math.floor(steps / group);
  if (groups > 0) {
    const end = f.let(i32.add(x, groups * step.xBytes));
    f.loop((again) => {
      step.emit(xAt, wAt, 0, 0);
      f.increment(wAt, step.wBytes);
      f.increment(xAt, step.xBytes);
      f.branchIf(again, i32.ltU(xAt, end));
    });
  }
  for (let index = 0; index < steps % group; index++) {
    rest.emit(xAt, wAt, index * rest.xBytes, index * rest.wBytes);
  }
}

function stepOf(f: FunctionBuilder, spec: Int8TileSpec, sums: Sums, group: number): Step {
  if (spec.form === 'i16') return i16Step(f, spec, sums);
  if (spec.form === 'dot') return dotStep(f, spec, sums);
  return pairsStep(f, spec, sums, group);
}

function dotStep(f: FunctionBuilder, { xStride }: Int8TileSpec, sums: Sums): Step {
  const weights = [f.local('v128'), f.local('v128')] as const;
  const row = f.local('v128');
  return {
    xBytes: 4,
    wBytes: 32,
    emit: (x, w, xOffset, wOffset) => {
      weights.forEach((weight, j) => f.set(weight, v128.load(w, wOffset + 16 * j)));
      sums.forEach((sum, r) => {
        f.set(row, v128.load32Splat(x, xOffset + r * xStride));
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
    emit: (x, w, xOffset, wOffset) => {
      weights.forEach((weight, j) => f.set(weight, v128.load(w, wOffset + 16 * j)));
      sums.forEach((sum, r) => {
        f.set(row, v128.load32Splat(x, xOffset + r * xStride));
        sum.forEach((s, j) => f.set(s, i32x4.add(s, i32x4.dotI16x8S(row, weights[j] as Local<'v128'>))));
      });
    },
  };
}

function pairsStep(f: FunctionBuilder, { xStride }: Int8TileSpec, sums: Sums, group: number): Step {
  const weights = Array.from({ length: group }, () => [f.local('v128'), f.local('v128')] as const);
  const row = f.local('v128');
  const pairs = [f.local('v128'), f.local('v128')] as const;
  return {
    xBytes: 4 * group,
    wBytes: 32 * group,
    emit: (x, w, xOffset, wOffset) => {
      weights.forEach((vectors, g) =>
        vectors.forEach((weight, j) => f.set(weight, v128.load(w, wOffset + 32 * g + 16 * j))),
      );
      sums.forEach((sum, r) => {
        weights.forEach((vectors, g) => {
          f.set(row, v128.load32Splat(x, xOffset + 4 * g + r * xStride));
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

type EpiloguePointers = { readonly [K in keyof TileParams<Parameters>]: Local<'i32'> };

/** The steps and their order are those of docs/architecture.md section 5; advances y. */
function emitEpilogue(f: FunctionBuilder, p: EpiloguePointers, sums: Sums): void {
  const zero = f.local('v128');
  const scale = f.local('v128');
  sums.forEach((sum, r) => {
    f.set(zero, v128.load32Splat(p.rowZero, 4 * r));
    f.set(scale, v128.load32Splat(p.rowScale, 4 * r));
    sum.forEach((s, j) => {
      const exact = i32x4.sub(s, i32x4.mul(zero, v128.load(p.colsum, 16 * j)));
      const scaled = f32x4.mul(
        f32x4.mul(f32x4.convertI32x4S(exact), scale),
        v128.load(p.weightScale, 16 * j),
      );
      f.do(v128.store(p.y, f32x4.add(scaled, v128.load(p.bias, 16 * j)), 16 * j));
    });
    f.increment(p.y, p.yStride);
  });
}
