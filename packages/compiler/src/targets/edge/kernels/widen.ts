import { i16x8, i32, i8x16, v128, type Expr, type FunctionBuilder, type Local } from '../../../wasm/index.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import { roundUp } from './vector-code.ts';

// Bytes to 16 bits for the form of the product that every CPU has.

/** Bytes of a widened panel of weights with k rows. */
export function widePanelBytes(k: number): number {
  return roundUp(k, 4) * PANEL_COLUMNS * 2;
}

/** Bytes to i16, in order. `bytes` is a multiple of 16. */
export function emitWidenRows(
  f: FunctionBuilder,
  from: Local<'i32'>,
  to: Local<'i32'>,
  bytes: Expr<'i32'>,
): void {
  const source = f.let(from);
  const target = f.let(to);
  const end = f.let(i32.add(from, bytes));
  f.whileBelow(source, end, 16, () => {
    const vector = f.let(v128.load(source));
    f.do(v128.store(target, i16x8.extendLowI8x16U(vector)));
    f.do(v128.store(target, i16x8.extendHighI8x16U(vector), 16));
    f.increment(target, 32);
  });
}

/** Bytes of four columns of four k: the first two k of each column, then the second two. */
export const EVEN_PAIRS: readonly number[] = [0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15];

/** One panel [k/4][8][4] of bytes to [k/2][8][2] of i16. */
export function emitWidenPanel(f: FunctionBuilder, from: Local<'i32'>, to: Local<'i32'>, k: number): void {
  const source = f.let(from);
  const target = f.let(to);
  const end = f.let(i32.add(from, k * PANEL_COLUMNS));
  f.loop((again) => {
    // Four columns of four k: the first pairs of each column, then the second ones.
    const halves = [0, 16].map((offset) => {
      const vector = f.let(v128.load(source, offset));
      return f.let(i8x16.shuffle(vector, vector, EVEN_PAIRS));
    });
    halves.forEach((half, index) => {
      f.do(v128.store(target, i16x8.extendLowI8x16S(half), 16 * index));
      f.do(v128.store(target, i16x8.extendHighI8x16S(half), 32 + 16 * index));
    });
    f.increment(target, 64);
    f.increment(source, 32);
    f.branchIf(again, i32.ltU(source, end));
  });
}
