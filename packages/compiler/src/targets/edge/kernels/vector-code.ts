import { f32x4, i32, i8x16, v128, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';

// Small pieces of code that several kernels share.

const HALVES_SWAPPED = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const NEIGHBOURS_SWAPPED = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** One value from four lanes: (lane 0 ∘ lane 2) ∘ (lane 1 ∘ lane 3). */
export function reduceLanes(
  f: FunctionBuilder,
  vector: Expr<'v128'>,
  combine: (a: Expr<'v128'>, b: Expr<'v128'>) => Expr<'v128'>,
): Expr<'f32'> {
  const a = f.let(vector);
  f.set(a, combine(a, i8x16.shuffle(a, a, HALVES_SWAPPED)));
  f.set(a, combine(a, i8x16.shuffle(a, a, NEIGHBOURS_SWAPPED)));
  return f32x4.extractLane(a, 0);
}

/** The vector with the lanes from `count` on set to +0; itself when `count` is 4 or more. */
export function keepLanes(vector: Expr<'v128'>, count: number): Expr<'v128'> {
  return count >= 4 ? vector : v128.and(vector, lanesMask(count));
}

/** Ones in the first `count` lanes. */
export function lanesMask(count: number): Expr<'v128'> {
  return v128.const(Array.from({ length: 16 }, (_, byte) => (byte < 4 * count ? 0xff : 0)));
}

/**
 * Walks a row of `columns` floats in steps of 8: `body` gets the byte offset of the step from the row's start (as
 * an expression to add to a pointer, and a constant to put into the instruction) and how many of its 8 columns are
 * real. Full steps run in a loop, a last partial one after it.
 */
export function forEachEight(
  f: FunctionBuilder,
  columns: number,
  body: (at: (pointer: Expr<'i32'>) => Expr<'i32'>, valid: number) => void,
): void {
  const offset = f.let(i32.const(0));
  const at = (pointer: Expr<'i32'>): Expr<'i32'> => i32.add(pointer, offset);
  const full = Math.floor(columns / 8);
  if (full > 0) {
    f.loop((again) => {
      body(at, 8);
      f.increment(offset, 32);
      f.branchIf(again, i32.ltS(offset, full * 32));
    });
  }
  if (columns % 8 !== 0) body(at, columns % 8);
}
