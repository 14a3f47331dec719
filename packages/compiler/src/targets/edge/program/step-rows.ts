import { tileRowPixels } from '../kernels/index.ts';
import type { Operand, Step } from './program.ts';
import { rowStride, type Rows, type Value } from './value.ts';

// Which rows of which values the steps of a program read and write: what the schedule and the memory plan follow from.

/** Steps that may read any row of `x`. */
const READS_ALL: ReadonlySet<Step['op']> = new Set<Step['op']>([
  'pick-row',
  'quantize-image',
  'depthwise',
  'max-pool',
  'average',
  'average-pool',
  'resize-linear',
  'resize-cubic',
  'conv-f32',
  'depthwise-f32',
  'reduce-rows',
  'max-pool-rows',
]);

/** Values whose row r the step reads to make its own row r. */
export function rowReads(step: Step): Value[] {
  switch (step.op) {
    case 'embed':
      // Counting positions looks at all ids before a row; ids are inputs, so they are there from the start.
      return [step.ids, step.tokenTypes].filter((value) => value !== undefined);
    case 'layer-norm':
      return step.skip ? [step.x, step.skip] : [step.x];
    case 'binary':
    case 'binary-bytes':
      return binaryOperands(step).filter((value) => value.rows === step.output.rows);
    case 'conv':
      return step.window ? [] : [step.x];
    case 'copy':
      return [
        ...(readsRows(step) ? [step.x] : []),
        ...(step.isInFilled && writesRows(step) ? [step.output] : []),
      ];
    case 'fill':
    case 'load':
    case 'key-bias':
    case 'gru':
    case 'lstm':
    case 'suppress-boxes':
      return [];
    case 'gather-rows':
    case 'gather-elements':
      return [step.indices];
    case 'attention':
      return [step.query];
    default:
      return READS_ALL.has(step.op) ? [] : [step.x];
  }
}

/** Values of which the step may read any row. */
export function wholeReads(step: Step): Value[] {
  switch (step.op) {
    case 'binary':
    case 'binary-bytes':
      return binaryOperands(step).filter((value) => value.rows !== step.output.rows);
    case 'conv':
      return step.window ? [step.x] : [];
    case 'copy':
      return [
        ...(readsRows(step) ? [] : [step.x]),
        ...(step.isInFilled && !writesRows(step) ? [step.output] : []),
      ];
    case 'key-bias':
      return step.mask ? [step.mask] : [];
    case 'linear':
      return typeof step.weight.panels === 'number' ? [] : [step.weight.panels];
    case 'gru':
      return [step.gates, ...operandValues(step.h)];
    case 'lstm':
      return [step.gates, ...operandValues(step.h, step.c)];
    case 'attention':
      return [step.keys, step.values, step.keyBias];
    case 'suppress-boxes':
      return [step.boxes, step.scores];
    case 'gather-rows':
    case 'gather-elements':
      return [step.x];
    default:
      return READS_ALL.has(step.op) ? [(step as Extract<Step, { x: Value }>).x] : [];
  }
}

function operandValues(...operands: readonly Operand[]): Value[] {
  return operands.flatMap((operand) => ('value' in operand ? [operand.value] : []));
}

function binaryOperands(step: Extract<Step, { op: 'binary' | 'binary-bytes' }>): Value[] {
  return step.op === 'binary-bytes' ? [step.a, step.b] : operandValues(step.a, step.b);
}

export function writes(step: Step): Value[] {
  switch (step.op) {
    case 'quantize':
      return [step.quantized.value];
    case 'embed':
    case 'layer-norm':
      return step.quantized ? [step.output, step.quantized.value] : [step.output];
    case 'lstm':
      return [step.output, step.cell];
    case 'top-k':
      return [step.output, step.indices];
    case 'suppress-boxes':
      return [step.output, step.count];
    default:
      return [step.output];
  }
}

type Copy = Extract<Step, { op: 'copy' }>;

/** Whether row r of a copy comes from row r of what it reads. */
export function readsRows({ x, list, loops: { from, rows } }: Copy): boolean {
  return (
    x.kind !== 'dense' &&
    list === undefined &&
    from < rowStride(x) &&
    isEveryRow(
      rows.map((loop) => loop.from),
      rowStride(x),
    )
  );
}

/** Whether the step writes its row r to row r of the output; others are copies to places anywhere in it. */
export function writesRows(step: Step): boolean {
  if (isAtOnce(step)) return false;
  if (step.op !== 'copy') return true;
  const { output, loops } = step;
  return (
    loops.to < rowStride(output) &&
    isEveryRow(
      loops.rows.map((loop) => loop.to),
      rowStride(output),
    )
  );
}

/** Whether a step computes everything on one thread. */
function isAtOnce({ op }: Step): boolean {
  return op === 'lstm' || op === 'gru' || op === 'suppress-boxes';
}

function isEveryRow(steps: readonly number[], stride: number): boolean {
  return steps.length === 0 || (steps.length === 1 && steps[0] === stride);
}

/** Rows that the step computes; a step that is not row by row counts as one row, which one thread computes. */
export function stepRows(step: Step): Rows {
  if (step.op === 'key-bias' || isAtOnce(step)) return 1;
  if (step.op === 'copy') return step.loops.rows.reduce((product, { extent }) => product * extent, 1);
  return step.op === 'quantize' ? step.quantized.value.rows : step.output.rows;
}

/** Blocks of a step's rows start at multiples of this. */
export function rowUnit(step: Step): number {
  if (step.op === 'depthwise' || step.op === 'depthwise-f32') return step.window.outWidth;
  if ((step.op === 'conv' || step.op === 'conv-f32') && step.isWinograd) return tileRowPixels(step.window!);
  return step.op === 'quantize-image' ? 4 : 1;
}
