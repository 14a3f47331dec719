import type { Step } from '../program/program.ts';
import { rowReads, rowUnit, stepRows, wholeReads, writes, writesRows } from '../program/step-rows.ts';
import type { RowCounts } from '../kernels/index.ts';
import { roundUp, type Rows, type Value } from '../program/value.ts';

/** Tokens are dealt out to threads, and blocks are cut, in units of a panel of keys. */
const TOKEN_UNIT = 8;

/** Steps that go through the same rows, block by block, with nothing to wait for in between. */
export interface Region {
  readonly rows: Rows;
  readonly steps: readonly Step[];
}

/** Regions that may run at the same time; all threads meet between one level and the next. */
export type Level = readonly Region[];

/**
 * Puts each step into the earliest level where its inputs are complete. A step follows its producer in the same
 * region when it reads row by row; reading any row (keys and values, a picked row) or other rows waits for a level.
 */
export function scheduleSteps(steps: readonly Step[]): Level[] {
  /** Rows are undefined where a value is not written row by row, by threads that hold these rows. */
  const made = new Map<Value, { level: number; rows: Rows | undefined }>();
  const levels: Map<Rows, Step[]>[] = [];
  for (const step of steps) {
    const rows = stepRows(step);
    const level = Math.max(0, ...rowReads(step).map(afterRow), ...wholeReads(step).map(afterWhole));
    const regions = (levels[level] ??= new Map<Rows, Step[]>());
    regions.set(rows, [...(regions.get(rows) ?? []), step]);
    for (const value of writes(step)) {
      // Several copies may fill one value.
      const before = made.get(value) ?? { level, rows };
      const isByRows = writesRows(step) && before.rows === rows;
      made.set(value, { level: Math.max(level, before.level), rows: isByRows ? rows : undefined });
    }

    function afterRow(value: Value): number {
      const producer = made.get(value);
      if (!producer) return 0; // a program input
      return producer.rows === rows ? producer.level : producer.level + 1;
    }
  }
  return levels.map((regions) => [...regions].map(([rows, list]) => ({ rows, steps: list })));

  function afterWhole(value: Value): number {
    const producer = made.get(value);
    return producer ? producer.level + 1 : 0;
  }
}

/** How the rows of a region are cut: blocks start at multiples of `unit` and have at most `most` rows. */
export function regionBlocks({ rows, steps }: Region, blockRows: number): { unit: number; most: number } {
  if (rows === 'sequence') return { unit: TOKEN_UNIT, most: blockRows };
  const unit = steps.map(rowUnit).reduce(leastCommonMultiple, 1);
  return { unit, most: Math.min(rows, Math.max(unit, blockRows - (blockRows % unit))) };
}

/** Rows of the blocks that threads get (see emitRegion), whatever their number up to `maxThreads`; undefined: any. */
export function blockSizes(region: Region, blockRows: number, maxThreads: number): RowCounts {
  const { rows: count } = region;
  if (count === 'sequence') return undefined;
  const { unit, most } = regionBlocks(region, blockRows);
  const sizes = new Set<number>();
  for (let threads = 1; threads <= maxThreads; threads++) {
    const share = roundUp(Math.ceil(count / threads), unit);
    for (let start = 0; start < count; start += share) {
      const rows = Math.min(share, count - start);
      const block = roundUp(Math.ceil(rows / Math.ceil(rows / most)), unit);
      sizes.add(Math.min(block, rows));
      if (rows % block > 0) sizes.add(rows % block);
    }
  }
  return [...sizes].toSorted((a, b) => a - b);
}

function leastCommonMultiple(a: number, b: number): number {
  let common = a;
  while (common % b !== 0) common += a;
  return common;
}
