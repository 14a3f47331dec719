import { emitStep, stepScratchBytes } from './emit-step.ts';
import {
  BARRIER_BYTES,
  emitBarrier,
  emitExpandInt4,
  emitProbe,
  KERNEL_CONSTANTS_BYTES,
  KernelLibrary,
  type FloatTileSize,
  type RowCounts,
  type Rung,
} from '../kernels/index.ts';
import type { MemoryPlan } from '../plan/plan-memory.ts';
import type { Program } from '../program/program.ts';
import { blockSizes, regionBlocks, type Level, type Region } from '../plan/schedule.ts';
import { roundUp } from '../program/value.ts';
import {
  i32,
  ModuleBuilder,
  type Expr,
  type FunctionBuilder,
  type Local,
  type MemoryLimits,
} from '../../../wasm/index.ts';

/** The start of the memory: the kernels' constants, then the barrier. */
export const PROGRAM_CONSTANTS_BYTES: number = KERNEL_CONSTANTS_BYTES + roundUp(BARRIER_BYTES, 64);

/** Scratch that the kernels need, for blocks of at most `blockRows` rows. */
export function kernelScratchBytes(
  { maxSequence }: Program,
  levels: readonly Level[],
  blockRows: number,
): number {
  const bytes = levels.flat().flatMap((region) => {
    const { most } = regionBlocks(region, blockRows);
    return region.steps.map((step) => stepScratchBytes(step, { rows: most, sequence: maxSequence }));
  });
  return Math.max(0, ...bytes);
}

export interface EmitProgramOptions {
  readonly levels: readonly Level[];
  readonly plan: MemoryPlan;
  readonly blockRows: number;
  /** Pages of memory: the least that one thread needs, the most that all threads need. */
  readonly limits: MemoryLimits;
  readonly rung: Rung;
  readonly floatTile: FloatTileSize;
  readonly maxThreads: number;
  /** Whether weights are stored in 4 bits, so that the program must export `expand`. */
  readonly hasInt4: boolean;
}

/** The bytes of a program; its exports are described in docs/package-format.md. */
export function emitProgram({
  levels,
  plan,
  blockRows,
  limits,
  rung,
  floatTile,
  maxThreads,
  hasInt4,
}: EmitProgramOptions): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', limits);
  const library = new KernelLibrary(module, { rung, floatTile, constantsAddress: 0 });
  const barrier = emitBarrier(library, { address: KERNEL_CONSTANTS_BYTES });
  if (rung === 'relaxed') module.export('probe', emitProbe(library));
  if (hasInt4) emitExpand(library);
  module.function('init', { params: { mode: 'i32' }, export: 'init' }, (f, { mode }) => {
    f.set(library.mode, mode);
  });
  const run = { sequence: 'i32', thread: 'i32', threads: 'i32' } as const;
  module.function('run', { params: run, export: 'run' }, (f, { sequence, thread, threads }) => {
    const scratch = f.let(i32.add(plan.arenaEnd, i32.mul(thread, plan.scratchBytes)));
    levels.forEach((level, index) => {
      if (index > 0) f.call(barrier, { threads });
      for (const region of level) {
        const rowCounts = blockSizes(region, blockRows, maxThreads);
        emitRegion(f, region, { library, plan, scratch, sequence, thread, threads, blockRows, rowCounts });
      }
    });
  });
  library.finish();
  return module.finish();
}

/** The exported name has the format's parameters: the range comes first. */
function emitExpand(library: KernelLibrary): void {
  const expand = emitExpandInt4(library);
  const params = { address: 'i32', count: 'i32', multipliers: 'i32', panels: 'i32', steps: 'i32' } as const;
  library.module.function('expand', { params, export: 'expand' }, (f, p) => {
    f.call(expand, { weights: p.address, multipliers: p.multipliers, panels: p.panels, steps: p.steps });
  });
}

interface RegionScope {
  readonly library: KernelLibrary;
  readonly plan: MemoryPlan;
  readonly scratch: Expr<'i32'>;
  readonly sequence: Expr<'i32'>;
  readonly thread: Expr<'i32'>;
  readonly threads: Expr<'i32'>;
  readonly blockRows: number;
  readonly rowCounts: RowCounts;
}

/** Each thread takes an equal share of the rows and cuts it into equal blocks. */
function emitRegion(f: FunctionBuilder, region: Region, scope: RegionScope): void {
  const { sequence, thread, threads, blockRows } = scope;
  const { unit, most } = regionBlocks(region, blockRows);
  const count = region.rows === 'sequence' ? sequence : i32.const(region.rows);
  const share = f.let(roundUpRows(divideUp(count, threads), unit));
  const start = f.let(i32.mul(share, thread));
  const end = f.let(i32.add(start, share));
  f.if(i32.gtS(end, count), () => f.set(end, count));
  f.if(i32.ltS(start, end), () => {
    const rows = f.let(i32.sub(end, start));
    const blocks = divideUp(rows, i32.const(most));
    const block = f.let(roundUpRows(divideUp(rows, blocks), unit));
    f.whileBelow(start, end, block, () => {
      const m1 = smaller(f, i32.add(start, block), end);
      for (const step of region.steps) emitStep(f, step, { ...scope, blockRows: most, m0: start, m1 });
    });
  });
}

function smaller(f: FunctionBuilder, a: Expr<'i32'>, b: Local<'i32'>): Local<'i32'> {
  const result = f.let(a);
  f.if(i32.gtS(result, b), () => f.set(result, b));
  return result;
}

function divideUp(a: Expr<'i32'>, b: Expr<'i32'>): Expr<'i32'> {
  return i32.divU(i32.sub(i32.add(a, b), 1), b);
}

function roundUpRows(rows: Expr<'i32'>, unit: number): Expr<'i32'> {
  return unit === 1 ? rows : i32.mul(divideUp(rows, i32.const(unit)), unit);
}
