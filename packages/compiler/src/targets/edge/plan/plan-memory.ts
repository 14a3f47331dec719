import { placeIntervals, type Interval } from './place-intervals.ts';
import type { Program, Step } from '../program/program.ts';
import { rowReads, wholeReads, writes, writesRows } from '../program/step-rows.ts';
import { regionBlocks, type Level } from './schedule.ts';
import { roundUp, valueBytes, type Value } from '../program/value.ts';

const ALIGNMENT = 64;

/**
 * Where a value lives. `arena`: all its rows, at an absolute address. `block`: the rows of the block at hand only, at
 * an offset in the running thread's scratch.
 */
export interface Place {
  readonly space: 'arena' | 'block';
  readonly offset: number;
  /** Rows that fit. */
  readonly capacity: number;
}

export interface MemoryPlan {
  readonly places: ReadonlyMap<Value, Place>;
  /** Absolute address of the arena's end. */
  readonly arenaEnd: number;
  readonly arenaBytes: number;
  /** Scratch that one thread needs: kernels first, then the block buffers. */
  readonly scratchBytes: number;
}

export interface PlanOptions {
  /** First free address behind constants and weights. */
  readonly arenaStart: number;
  /** Most rows in a block. A multiple of 8. */
  readonly blockRows: number;
  /** Bytes at the start of a thread's scratch that kernels use. */
  readonly kernelScratchBytes: number;
}

/**
 * Gives every value a place. What is made and used up inside one region lives in the scratch of the thread, with
 * room for one block of rows; the rest lives in the arena for as many levels as it is needed.
 */
export function planMemory(program: Program, levels: readonly Level[], options: PlanOptions): MemoryPlan {
  const uses = collectUses(program, levels);
  const rowsOf = (value: Value): number => (value.rows === 'sequence' ? program.maxSequence : value.rows);
  const places = new Map<Value, Place>();

  const shared = [...uses].filter(([, use]) => use.region === undefined);
  const arena = placeIntervals(
    shared.map(([value, { first, last }]) => ({ bytes: valueBytes(value, rowsOf(value)), first, last })),
    ALIGNMENT,
  );
  const arenaStart = roundUp(options.arenaStart, ALIGNMENT);
  shared.forEach(([value], index) => {
    const offset = arenaStart + arena.offsets[index]!;
    places.set(value, { space: 'arena', offset, capacity: rowsOf(value) });
  });

  let blockBytes = 0;
  for (const region of levels.flat()) {
    const capacity = regionBlocks(region, options.blockRows).most;
    const local = [...uses].filter(([, use]) => use.region === region.steps);
    const intervals = local.map(([value]): Interval => {
      return { bytes: valueBytes(value, capacity), ...lifetime(value, region.steps) };
    });
    const block = placeIntervals(intervals, ALIGNMENT);
    blockBytes = Math.max(blockBytes, block.bytes);
    local.forEach(([value], index) => {
      const offset = roundUp(options.kernelScratchBytes, ALIGNMENT) + block.offsets[index]!;
      places.set(value, { space: 'block', offset, capacity });
    });
  }
  return {
    places,
    arenaEnd: arenaStart + arena.bytes,
    arenaBytes: arena.bytes,
    scratchBytes: roundUp(options.kernelScratchBytes, ALIGNMENT) + blockBytes,
  };
}

interface Use {
  /** Levels from the first write to the last read. */
  first: number;
  last: number;
  /** Steps of the only region that touches the value row by row; undefined when it must be whole. */
  region: readonly Step[] | undefined;
}

function collectUses(program: Program, levels: readonly Level[]): Map<Value, Use> {
  const uses = new Map<Value, Use>();
  levels.forEach((level, index) => {
    for (const { steps } of level) {
      for (const step of steps) {
        for (const value of writes(step)) touch(value, index, writesRows(step) ? steps : undefined);
        for (const value of rowReads(step)) touch(value, index, steps);
        for (const value of wholeReads(step)) touch(value, index, undefined);
      }
    }
  });
  for (const { value } of program.inputs) keepWhole(value, 0);
  for (const { value, count } of program.outputs) {
    keepWhole(value, levels.length);
    if (count) keepWhole(count, levels.length);
  }
  return uses;

  function touch(value: Value, level: number, region: readonly Step[] | undefined): void {
    const use = uses.get(value);
    if (!use) {
      uses.set(value, { first: level, last: level, region });
      return;
    }
    use.last = level;
    if (use.region !== region) use.region = undefined;
  }

  function keepWhole(value: Value, level: number): void {
    const use = uses.get(value) ?? { first: level, last: level, region: undefined };
    uses.set(value, {
      first: Math.min(use.first, level),
      last: Math.max(use.last, level),
      region: undefined,
    });
  }
}

/** First and last step of the region that touch the value. */
function lifetime(value: Value, steps: readonly Step[]): { first: number; last: number } {
  const touching = steps.flatMap((step, index) =>
    [...writes(step), ...rowReads(step)].includes(value) ? [index] : [],
  );
  return { first: touching[0]!, last: touching.at(-1)! };
}
