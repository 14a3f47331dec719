import type { EdgeModel, FileContent } from '@edgewise/runtime/format';
import type { Model } from '../../ir/index.ts';
import { ConstantStore } from './weights/constant-store.ts';
import { emitProgram, kernelScratchBytes, PROGRAM_CONSTANTS_BYTES } from './emit/emit-program.ts';
import { lowerModel } from './lower/lower.ts';
import { planMemory } from './plan/plan-memory.ts';
import {
  BROWSER_TILE,
  gateColumns,
  GRU_GATES,
  LSTM_GATES,
  NODE_TILE,
  patchBytes,
  type FloatTileSize,
} from './kernels/index.ts';
import type { Program, Step } from './program/program.ts';
import { stepRows } from './program/step-rows.ts';
import { scheduleSteps } from './plan/schedule.ts';
import { roundUp, rowStride, type Value } from './program/value.ts';
import { WeightsImage } from './weights/weights-image.ts';

const PAGE_BYTES = 65_536;

/**
 * Rows that go through a region together. Each block reads all weights again, and the simd rung widens them; more rows
 * than this leave the second-level cache with their activations.
 */
const BLOCK_ROWS = 128;

/** The same for pixels of maps: a multiple of every height of tile, so that only a last block has smaller tiles. */
const BLOCK_PIXELS = 120;

export interface CompileEdgeOptions {
  /**
   * Most tokens of an input, for models that take tokens. The arena is sized for it; shorter inputs cost less time, not
   * less memory. Default 1.
   */
  readonly maxSequence?: number;
  /** Most threads that the program may run on. Default 4. */
  readonly maxThreads?: number;
}

/** An engine program: the manifest's part and the files it names. */
export interface EdgeArtifact<Content extends FileContent = Uint8Array> {
  readonly model: EdgeModel;
  readonly files: ReadonlyMap<string, Content>;
}

const FILES = { relaxed: 'model.relaxed.wasm', simd: 'model.simd.wasm', weights: 'model.weights' };

/**
 * Compiles a compact graph (docs/architecture.md, section 4) to WebAssembly programs and weights.
 *
 * @throws CompilerError `unsupported` with every reason when the engine cannot run the model.
 */
export function compileEdge(model: Model, options: CompileEdgeOptions = {}): EdgeArtifact {
  const { programs, image, ...artifact } = compileProgram(model, options, BROWSER_TILE);
  return { ...artifact, files: new Map([...programs, [FILES.weights, image.file()]]) };
}

/** The same for a runner in Node that reads the weights once: they are made while it does. */
export function compileForNode(model: Model, options: CompileEdgeOptions): EdgeArtifact<FileContent> {
  const { programs, image, ...artifact } = compileProgram(model, options, NODE_TILE);
  return { ...artifact, files: new Map<string, FileContent>([...programs, [FILES.weights, image]]) };
}

interface Compiled {
  readonly model: EdgeModel;
  readonly programs: readonly (readonly [string, Uint8Array])[];
  readonly image: WeightsImage;
}

function compileProgram(model: Model, options: CompileEdgeOptions, floatTile: FloatTileSize): Compiled {
  const { maxSequence = 1, maxThreads = 4 } = options;
  const image = new WeightsImage(PROGRAM_CONSTANTS_BYTES);
  const constants = new ConstantStore(model.graph, image);
  const program = lowerModel(model, { maxSequence, constants });
  const levels = scheduleSteps(program.steps);
  const hasTokens = program.inputs.some(({ shape }) => shape.includes('sequence'));
  const blockRows = hasTokens ? Math.min(BLOCK_ROWS, roundUp(maxSequence, 8)) : BLOCK_PIXELS;
  const plan = planMemory(program, levels, {
    arenaStart: image.memoryEnd,
    blockRows,
    kernelScratchBytes: kernelScratchBytes(program, levels, blockRows),
  });
  const bytes = plan.arenaEnd + plan.scratchBytes;
  const limits = {
    min: Math.ceil(bytes / PAGE_BYTES),
    max: Math.ceil((bytes + (maxThreads - 1) * plan.scratchBytes) / PAGE_BYTES),
  };
  const hasInt4 = image.sections.some(({ encoding }) => encoding === 'int4');
  const emit = (rung: 'relaxed' | 'simd'): Uint8Array =>
    emitProgram({ levels, plan, blockRows, limits, rung, floatTile, maxThreads, hasInt4 });
  const place = (value: Value): number => plan.places.get(value)!.offset;
  return {
    image,
    programs: [
      [FILES.relaxed, emit('relaxed')],
      [FILES.simd, emit('simd')],
    ],
    model: {
      kind: 'edge',
      programs: { relaxed: FILES.relaxed, simd: FILES.simd },
      weights: { file: FILES.weights, sections: image.sections },
      memory: {
        bytes,
        perThreadBytes: plan.scratchBytes,
        maxThreads,
        weightsBytes: image.memoryEnd,
        arenaBytes: plan.arenaBytes,
      },
      dims: hasTokens ? { sequence: { max: maxSequence } } : {},
      inputs: program.inputs.map(({ name, value, shape, default: fallback }) => ({
        name,
        dtype: value.kind === 'dense' ? ('float32' as const) : ('int32' as const),
        shape,
        address: place(value),
        ...(fallback && { default: fallback }),
        ...rangeOf(value, program),
      })),
      outputs: program.outputs.map(({ name, value, shape, count }) => ({
        name,
        dtype: value.kind === 'index' ? ('int32' as const) : ('float32' as const),
        shape,
        address: place(value),
        rowStride: rowStride(value),
        ...(count && { countAddress: place(count) }),
      })),
      macsPerToken: macsPerToken(program),
    },
  };
}

/** Ids must lie in their table. */
function rangeOf(input: Value, { steps }: Program): { range?: [number, number] } {
  for (const step of steps) {
    if (step.op !== 'embed') continue;
    if (step.ids === input) return { range: [0, step.word.rows - 1] };
    if (step.tokenTypes === input && step.tokenType) return { range: [0, step.tokenType.rows - 1] };
  }
  return {};
}

/** Multiply-accumulates per token at the longest sequence. */
function macsPerToken(program: Program): number {
  let macs = 0;
  for (const step of program.steps) {
    const perRow = macsPerRow(step, program.maxSequence);
    const rows = stepRows(step);
    macs += rows === 'sequence' ? perRow : (perRow * rows) / program.maxSequence;
  }
  return Math.round(macs);
}

function macsPerRow(step: Step, maxSequence: number): number {
  switch (step.op) {
    case 'linear':
      return step.weight.k * step.weight.n;
    case 'lstm':
    case 'gru': {
      const { rows, columns } = step.output;
      const gates = step.op === 'lstm' ? LSTM_GATES : GRU_GATES;
      return gateColumns(gates, columns) * columns * (rows as number);
    }
    case 'attention':
      return 2 * maxSequence * step.output.columns;
    case 'conv':
      return (step.window ? patchBytes(step.window) : step.x.columns) * step.output.columns;
    case 'conv-f32':
      return (patchBytes(step.window) / 4) * step.output.columns;
    case 'depthwise':
    case 'depthwise-f32':
      return step.window.kernel[0] * step.window.kernel[1] * step.output.columns;
    default:
      return 0;
  }
}
