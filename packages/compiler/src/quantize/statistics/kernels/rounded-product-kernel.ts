import {
  f32,
  f32x4,
  f64x2,
  i16x8,
  i32,
  i32x4,
  i8x16,
  interleave,
  ModuleBuilder,
  v128,
  type Expr,
  type FunctionBuilder,
  type Local,
  type MemoryLimits,
} from '../../../wasm/index.ts';

/** Features of a panel, and columns of a tile. */
export const PANEL_FEATURES = 8;
/** Rows of a tile: with the columns eight vectors of sums. */
export const TILE_ROWS = 4;

/**
 * The largest integer, and the largest sum of their squares: by the inequality of Cauchy and Schwarz a sum of products then fits into 32
 * bits. What rounding adds to the sum needs the 2²³.
 */
export const LARGEST_INTEGER: number = 2 ** 15 - 1;
export const LARGEST_SQUARES: number = 2 ** 31 - 2 ** 23;

/** Sign and exponent of four floats: of a positive number the power of two that is not above it. */
const EXPONENTS = v128.const([0, 1, 2, 3].flatMap(() => [0, 0, 0x80, 0xff]));

/** Bytes of a vector with its upper half first. */
const UPPER_HALF = Array.from({ length: 16 }, (_, byte) => (byte + 8) % 16);

/** Bytes of eight numbers: of a row of float32, of a step (two rows) of integers, of the units of a panel, of a row of a tile. */
const EIGHT_BYTES = 4 * PANEL_FEATURES;
const TILE_BYTES = TILE_ROWS * EIGHT_BYTES;

/** Addresses, strides and `panelBytes` are in bytes; rows are float32 [width] and lie in [x, end). */
export interface RoundedProductKernels {
  /** sums[feature] = Σ x, float64. */
  readonly sumRows: (x: number, end: number, stride: number, sums: number) => void;
  /**
   * Rounds what an even number of rows deviates from means[feature] to 16-bit integers panels[width/8][rows/2][8][2]; they stand for
   * themselves times units[feature], the least power of two for which LARGEST_INTEGER and LARGEST_SQUARES hold.
   */
  readonly roundRows: (
    x: number,
    end: number,
    stride: number,
    means: number,
    panels: number,
    units: number,
  ) => void;
  /**
   * Adds Σ d·dᵀ over the rows d of the panels, and s·sᵀ of shifts[feature], to the tiles of a band: rows [4][8] for each half of the panel
   * `left`, for it and the panels behind it, which end at `panelsEnd`. `units` and `shifts` are those of `left`.
   */
  readonly addBand: (
    left: number,
    panelsEnd: number,
    panelBytes: number,
    units: number,
    shifts: number,
    tiles: number,
  ) => void;
}

export function roundedProductModule(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', memory);
  emitSumRows(m);
  emitRoundRows(m);
  emitAddBand(m);
  return m.finish();
}

function emitSumRows(m: ModuleBuilder): void {
  const params = { x: 'i32', end: 'i32', stride: 'i32', sums: 'i32' } as const;
  m.function('sum rows', { params, export: 'sumRows' }, (f, { x, end, stride, sums }) => {
    const rowEnd = f.let(i32.add(x, stride));
    const value = f.local('v128');
    f.whileBelow(x, rowEnd, 16, () => {
      const [low, high] = [f.let(v128.zero()), f.let(v128.zero())];
      const row = f.let(x);
      f.whileBelow(row, end, stride, () => {
        f.set(value, v128.load(row));
        f.set(low, f64x2.add(low, f64x2.promoteLowF32x4(value)));
        f.set(high, f64x2.add(high, f64x2.promoteLowF32x4(i8x16.shuffle(value, value, UPPER_HALF))));
      });
      f.do(v128.store(sums, low), v128.store(sums, high, 16));
      f.increment(sums, 32);
    });
  });
}

function emitRoundRows(m: ModuleBuilder): void {
  const params = {
    x: 'i32',
    end: 'i32',
    stride: 'i32',
    means: 'i32',
    panels: 'i32',
    units: 'i32',
  } as const;
  m.function('round rows', { params, export: 'roundRows' }, (f, { x, end, stride, means, panels, units }) => {
    const rowEnd = f.let(i32.add(x, stride));
    f.whileBelow(x, rowEnd, EIGHT_BYTES, () => {
      const scales = [0, 16].map((offset) => scaleOfFour(f, { x, end, stride, means, offset }));
      scales.forEach(({ factor }, half) => {
        f.do(v128.store(units, f32x4.div(f32x4.splat(f32.const(1)), factor), 16 * half));
      });
      const row = f.let(x);
      f.whileBelow(row, end, i32.shl(stride, 1), () => {
        const [first, second] = [roundRow(f, row, scales), roundRow(f, i32.add(row, stride), scales)];
        for (const from of [0, 8]) f.do(v128.store(panels, interleave(first, second, 2, from), 2 * from));
        f.increment(panels, EIGHT_BYTES);
      });
      f.increment(units, EIGHT_BYTES);
      f.increment(means, EIGHT_BYTES);
    });
  });
}

/** Of four features: what is taken from them, and what the rest is multiplied by before it is rounded. */
interface Scale {
  readonly mean: Local<'v128'>;
  readonly factor: Local<'v128'>;
}

type Places = Readonly<Record<'x' | 'end' | 'stride' | 'means', Local<'i32'>>> & { readonly offset: number };

function scaleOfFour(f: FunctionBuilder, { x, end, stride, means, offset }: Places): Scale {
  const mean = f.let(v128.load(means, offset));
  const [largest, squares] = [f.let(v128.zero()), f.let(v128.zero())];
  const value = f.local('v128');
  const row = f.let(x);
  f.whileBelow(row, end, stride, () => {
    f.set(value, f32x4.sub(v128.load(row, offset), mean));
    f.set(largest, f32x4.max(largest, f32x4.abs(value)));
    f.set(squares, f32x4.add(squares, f32x4.mul(value, value)));
  });
  const byLargest = f32x4.div(f32x4.splat(f32.const(LARGEST_INTEGER)), largest);
  const bySquares = f32x4.sqrt(f32x4.div(f32x4.splat(f32.const(LARGEST_SQUARES)), squares));
  return { mean, factor: f.let(v128.and(f32x4.min(byLargest, bySquares), EXPONENTS)) };
}

/** Eight 16-bit integers. */
function roundRow(f: FunctionBuilder, at: Expr<'i32'>, scales: readonly Scale[]): Local<'v128'> {
  const row = f.let(at);
  const [low, high] = scales.map(({ mean, factor }, half) => {
    const deviation = f32x4.sub(v128.load(row, 16 * half), mean);
    return i32x4.truncSatF32x4S(f32x4.nearest(f32x4.mul(deviation, factor)));
  }) as [Expr<'v128'>, Expr<'v128'>];
  return f.let(i16x8.narrowI32x4S(low, high));
}

function emitAddBand(m: ModuleBuilder): void {
  const params = {
    left: 'i32',
    panelsEnd: 'i32',
    panelBytes: 'i32',
    units: 'i32',
    shifts: 'i32',
    tiles: 'i32',
  } as const;
  m.function('add band', { params, export: 'addBand' }, (f, p) => {
    const { left, panelsEnd, panelBytes, units, shifts, tiles } = p;
    for (let firstRow = 0; firstRow < PANEL_FEATURES; firstRow += TILE_ROWS) {
      const right = f.let(left);
      const columnUnits = f.let(units);
      const columnShifts = f.let(shifts);
      f.whileBelow(right, panelsEnd, 0, () => {
        const row = f.let(i32.add(left, 4 * firstRow));
        const end = f.let(i32.add(right, panelBytes));
        const sums = sumTile(f, { row, right, end });
        sums.forEach((pair, index) => {
          const unit = f.let(v128.load32Splat(units, 4 * (firstRow + index)));
          const shift = f.let(v128.load32Splat(shifts, 4 * (firstRow + index)));
          pair.forEach((sum, half) => {
            const scale = f32x4.mul(unit, v128.load(columnUnits, 16 * half));
            const product = f32x4.mul(f32x4.convertI32x4S(sum), scale);
            const shifted = f32x4.mul(shift, v128.load(columnShifts, 16 * half));
            const place = EIGHT_BYTES * index + 16 * half;
            const total = f32x4.add(v128.load(tiles, place), f32x4.add(product, shifted));
            f.do(v128.store(tiles, total, place));
          });
        });
        f.increment(tiles, TILE_BYTES);
        f.increment(columnUnits, EIGHT_BYTES);
        f.increment(columnShifts, EIGHT_BYTES);
      });
    }
  });
}

/** The tile's sums over the steps of two rows; `right` is then at the next panel. */
function sumTile(
  f: FunctionBuilder,
  { row, right, end }: Readonly<Record<'row' | 'right' | 'end', Local<'i32'>>>,
): Local<'v128'>[][] {
  // Locals live as long as the function: a tile clears what the last one left.
  const sums = Array.from({ length: TILE_ROWS }, () => [f.let(v128.zero()), f.let(v128.zero())]);
  const columns = [f.local('v128'), f.local('v128')];
  const factor = f.local('v128');
  f.whileBelow(right, end, EIGHT_BYTES, () => {
    columns.forEach((vector, half) => f.set(vector, v128.load(right, 16 * half)));
    sums.forEach((pair, index) => {
      f.set(factor, v128.load32Splat(row, 4 * index));
      pair.forEach((sum, half) => f.set(sum, i32x4.add(sum, i32x4.dotI16x8S(factor, columns[half]!))));
    });
    f.increment(row, EIGHT_BYTES);
  });
  return sums;
}
