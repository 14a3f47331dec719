import {
  f32,
  f32x4,
  i16x8,
  i32,
  i32x4,
  i8x16,
  select,
  v128,
  type Expr,
  type FunctionBuilder,
  type Local,
} from '../../../wasm/index.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { ROUND_TO_INTEGER, ROUND_TO_INTEGER_BITS } from './math-constants.ts';
import { keepLanes, reduceLanes, roundUp } from './vector-code.ts';

/** How activations are quantized: ranges of each row at run time, or constants from calibration. */
export type ActivationQuantization =
  | { kind: 'dynamic' }
  | { kind: 'static'; scale: number; zeroPoint: number };

/** Running minimum and maximum of a row, both starting from 0, in two vectors each. */
export interface RowRange {
  low: readonly [Local<'v128'>, Local<'v128'>];
  high: readonly [Local<'v128'>, Local<'v128'>];
}

export function createRowRange(f: FunctionBuilder): RowRange {
  return { low: [f.local('v128'), f.local('v128')], high: [f.local('v128'), f.local('v128')] };
}

export function resetRowRange(f: FunctionBuilder, range: RowRange): void {
  for (const vector of [...range.low, ...range.high]) f.set(vector, v128.zero());
}

/** Takes a vector of values into the range; lanes that do not count must hold 0. */
export function widenRowRange(f: FunctionBuilder, range: RowRange, half: 0 | 1, values: Local<'v128'>): void {
  f.set(range.low[half], f32x4.pmin(range.low[half], values));
  f.set(range.high[half], f32x4.pmax(range.high[half], values));
}

/** Where one quantized row goes. */
export interface QuantizedRow {
  /** The float row. */
  x: Local<'i32'>;
  bytes: Local<'i32'>;
  /** Addresses of the row's own scale and zero point. */
  rowScale: Local<'i32'>;
  rowZero: Local<'i32'>;
}

/**
 * Quantizes one row of k floats: bytes up to k rounded up to 16 (0 beyond k), scale and zero. The formulas are those
 * of docs/architecture.md section 5; `range` is that of the row and only needed when it is dynamic.
 */
export function emitQuantizeRow(
  library: KernelLibrary,
  f: FunctionBuilder,
  k: number,
  quantization: ActivationQuantization,
  row: QuantizedRow,
  range?: RowRange,
): void {
  const isS8 = i32.eq(library.mode, MODE.s8);
  const offset = f.let(i32.shl(isS8, 7));
  const flip = f.let(i8x16.splat(offset));
  const inverse = f.local('v128');
  const zero = f.local('i32');
  if (quantization.kind === 'static') {
    const scale = Math.fround(quantization.scale);
    f.set(inverse, library.splat(Math.fround(1 / scale)));
    f.set(zero, i32.const(quantization.zeroPoint));
    f.do(f32.store(row.rowScale, f32.const(scale)));
  } else if (range) {
    emitRangeParameters(f, range, row, inverse, zero);
  }
  f.do(i32.store(row.rowZero, i32.sub(zero, offset)));

  const minusZero = f.let(i32x4.splat(i32.sub(i32.const(ROUND_TO_INTEGER_BITS), zero)));
  const limits =
    quantization.kind === 'static'
      ? ([0 - quantization.zeroPoint, 255 - quantization.zeroPoint] as const)
      : undefined;
  const round = (values: Expr<'v128'>): Expr<'v128'> => {
    let scaled = f32x4.mul(values, inverse);
    // Dynamic ranges need no clamp before rounding: |x·inv| ≤ 255.01, and the narrowing below saturates.
    if (limits) {
      scaled = f32x4.pmin(library.splat(limits[1]), f32x4.pmax(library.splat(limits[0]), scaled));
    }
    return i32x4.sub(f32x4.add(scaled, library.splat(ROUND_TO_INTEGER)), minusZero);
  };
  const emitSixteen = (at: Local<'i32'>, to: Local<'i32'>, offsetBytes: number, valid: number): void => {
    const quarter = (index: number): Expr<'v128'> =>
      index * 4 < valid ? round(v128.load(at, 4 * offsetBytes + 16 * index)) : v128.zero();
    const bytes = i8x16.narrowI16x8U(
      i16x8.narrowI32x4S(quarter(0), quarter(1)),
      i16x8.narrowI32x4S(quarter(2), quarter(3)),
    );
    f.do(v128.store(to, keepBytes(v128.xor(bytes, flip), valid), offsetBytes));
  };
  const from = f.let(row.x);
  const to = f.let(row.bytes);
  const full = Math.floor(k / 16);
  if (full > 0) {
    const end = f.let(i32.add(to, full * 16));
    f.loop((again) => {
      emitSixteen(from, to, 0, 16);
      f.increment(from, 64);
      f.increment(to, 16);
      f.branchIf(again, i32.ltU(to, end));
    });
  }
  if (k % 16 !== 0) emitSixteen(from, to, 0, k % 16);
}

/** scale, inverse and zero point of a row from its range. */
function emitRangeParameters(
  f: FunctionBuilder,
  { low, high }: RowRange,
  row: QuantizedRow,
  inverse: Local<'v128'>,
  zero: Local<'i32'>,
): void {
  const lowest = f.let(reduceLanes(f, f32x4.pmin(low[0], low[1]), f32x4.pmin));
  const highest = f.let(reduceLanes(f, f32x4.pmax(high[0], high[1]), f32x4.pmax));
  const step = f.let(f32.div(f32.sub(highest, lowest), f32.const(255)));
  const scale = f.let(select(f32.const(1), step, f32.eq(step, f32.const(0))));
  const inverted = f.let(f32.div(f32.const(1), scale));
  f.set(inverse, f32x4.splat(inverted));
  const rounded = f32.nearest(f32.mul(f32.neg(lowest), inverted));
  f.set(zero, i32.truncSatF32S(f32.max(f32.const(0), f32.min(rounded, f32.const(255)))));
  f.do(f32.store(row.rowScale, scale));
}

function keepBytes(vector: Expr<'v128'>, count: number): Expr<'v128'> {
  if (count >= 16) return vector;
  return v128.and(vector, v128.const(Array.from({ length: 16 }, (_, byte) => (byte < count ? 0xff : 0))));
}

/** The range of one row of k floats. */
export function emitRowRange(f: FunctionBuilder, k: number, x: Local<'i32'>, range: RowRange): void {
  resetRowRange(f, range);
  const at = f.let(x);
  const values = f.local('v128');
  const emitEight = (offset: number, valid: number): void => {
    for (const half of [0, 1] as const) {
      if (half * 4 >= valid) continue;
      f.set(values, keepLanes(v128.load(at, offset + 16 * half), valid - 4 * half));
      widenRowRange(f, range, half, values);
    }
  };
  const full = Math.floor(k / 8);
  if (full > 0) {
    const end = f.let(i32.add(x, full * 32));
    f.loop((again) => {
      emitEight(0, 8);
      f.increment(at, 32);
      f.branchIf(again, i32.ltU(at, end));
    });
  }
  if (k % 8 !== 0) emitEight(0, k % 8);
}

/** Bytes from one quantized row to the next. */
export function quantizedRowBytes(k: number): number {
  return roundUp(k, 16);
}
