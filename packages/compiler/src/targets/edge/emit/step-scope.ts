import type { MemoryPlan } from '../plan/plan-memory.ts';
import type { KernelLibrary, RowCounts } from '../kernels/index.ts';
import { elementBytes, rowStride, type Value } from '../program/value.ts';
import { i32, type Expr } from '../../../wasm/index.ts';

/** What the code of a step refers to. */
export interface StepScope {
  readonly library: KernelLibrary;
  readonly plan: MemoryPlan;
  /** This thread's scratch. */
  readonly scratch: Expr<'i32'>;
  readonly sequence: Expr<'i32'>;
  /** Rows [m0, m1) are to be computed. */
  readonly m0: Expr<'i32'>;
  readonly m1: Expr<'i32'>;
  /** Most rows that m1 − m0 can be. */
  readonly blockRows: number;
  /** All that m1 − m0 can be. */
  readonly rowCounts: RowCounts;
}

/** Where row 0 of a float value or of a map would be: a block buffer starts at row m0. */
export function rowZero(value: Value, scope: StepScope): Expr<'i32'> {
  return origin(value, scope, 0, elementBytes(value) * rowStride(value));
}

/** What every kernel that makes rows is given. */
export function outputRows(y: Value, scope: StepScope): Record<'y' | 'm0' | 'm1', Expr<'i32'>> {
  return { y: rowZero(y, scope), m0: scope.m0, m1: scope.m1 };
}

/** The address of a value that is all in memory. */
export function whole(value: Value, { plan }: StepScope): number {
  const place = plan.places.get(value)!;
  if (place.space !== 'arena')
    throw new Error(`${value.name} must be whole, but only a block of it is kept.`);
  return place.offset;
}

/** The same for a part of a value whose rows are `rowBytes` apart. */
export function origin(
  value: Value,
  { plan, scratch, m0 }: StepScope,
  part: number,
  rowBytes: number,
): Expr<'i32'> {
  const place = plan.places.get(value)!;
  if (place.space === 'arena') return i32.const(place.offset + part);
  return i32.sub(i32.add(scratch, place.offset + part), i32.mul(m0, rowBytes));
}
