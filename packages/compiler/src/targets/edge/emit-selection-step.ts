import {
  emitArgRows,
  emitGatherElements,
  emitGatherRows,
  emitMapIndices,
  emitSuppressBoxes,
  emitTopKRows,
  suppressScratchBytes,
  topKScratchBytes,
} from './kernels/index.ts';
import type { SelectionStep, Step } from './program.ts';
import { rowZero, whole, type StepScope } from './step-scope.ts';
import { rowStride } from './value.ts';
import type { Expr, FunctionBuilder } from '../../wasm/index.ts';

type StepOf<O extends SelectionStep['op']> = Extract<SelectionStep, { op: O }>;
type Emitters = {
  readonly [O in SelectionStep['op']]: (f: FunctionBuilder, step: StepOf<O>, scope: StepScope) => void;
};

const EMITTERS: Emitters = {
  'arg-rows': emitArg,
  'top-k': emitTopK,
  'suppress-boxes': emitSuppression,
  'gather-rows': emitGather,
  'gather-elements': emitElements,
  'map-indices': emitMap,
};

export function isSelectionStep(step: Step): step is SelectionStep {
  return step.op in EMITTERS;
}

/** Emits the call that computes rows [m0, m1) of a step that finds or follows indices. */
export function emitSelectionStep(f: FunctionBuilder, step: SelectionStep, scope: StepScope): void {
  const emit = EMITTERS[step.op] as (f: FunctionBuilder, step: SelectionStep, scope: StepScope) => void;
  emit(f, step, scope);
}

/** Scratch that the kernel of a step uses. */
export function selectionStepScratchBytes(step: SelectionStep): number {
  if (step.op === 'top-k') return topKScratchBytes(step.x.columns);
  return step.op === 'suppress-boxes' ? suppressScratchBytes(step.spec.boxes) : 0;
}

function emitArg(f: FunctionBuilder, { x, output, ...how }: StepOf<'arg-rows'>, scope: StepScope): void {
  const { largest, last } = how;
  const spec = { largest, last, columns: x.columns, xStride: rowStride(x) };
  const { m0, m1 } = scope;
  f.call(emitArgRows(scope.library, spec), { x: rowZero(x, scope), y: rowZero(output, scope), m0, m1 });
}

function emitTopK(
  f: FunctionBuilder,
  { x, largest, output, indices }: StepOf<'top-k'>,
  scope: StepScope,
): void {
  const kernel = emitTopKRows(scope.library, {
    largest,
    columns: x.columns,
    k: output.columns,
    xStride: rowStride(x),
    yStride: rowStride(output),
  });
  f.call(kernel, {
    x: rowZero(x, scope),
    y: rowZero(output, scope),
    indices: rowZero(indices, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitSuppression(
  f: FunctionBuilder,
  { boxes, scores, spec, output, count }: StepOf<'suppress-boxes'>,
  scope: StepScope,
): void {
  const kernel = emitSuppressBoxes(scope.library, {
    ...spec,
    boxStride: rowStride(boxes),
    scoreStride: rowStride(scores),
  });
  f.call(kernel, {
    boxes: whole(boxes, scope),
    scores: whole(scores, scope),
    y: whole(output, scope),
    count: whole(count, scope),
    scratch: scope.scratch,
  });
}

type Gathering = StepOf<'gather-rows' | 'gather-elements'>;

function emitGather(f: FunctionBuilder, step: StepOf<'gather-rows'>, scope: StepScope): void {
  const { x, axes, output } = step;
  const kernel = emitGatherRows(scope.library, {
    axes,
    columns: output.columns,
    xStride: rowStride(x),
    yStride: rowStride(output),
  });
  f.call(kernel, gatherPointers(step, scope));
}

function emitElements(f: FunctionBuilder, step: StepOf<'gather-elements'>, scope: StepScope): void {
  const { x, extent, count, output } = step;
  const kernel = emitGatherElements(scope.library, {
    extent,
    count,
    columns: output.columns,
    xStride: rowStride(x),
    yStride: rowStride(output),
  });
  f.call(kernel, gatherPointers(step, scope));
}

function gatherPointers(
  { x, indices, output }: Gathering,
  scope: StepScope,
): Record<'x' | 'indices' | 'y' | 'm0' | 'm1', Expr<'i32'> | number> {
  return {
    x: whole(x, scope),
    indices: rowZero(indices, scope),
    y: rowZero(output, scope),
    m0: scope.m0,
    m1: scope.m1,
  };
}

function emitMap(f: FunctionBuilder, { x, map, output }: StepOf<'map-indices'>, scope: StepScope): void {
  const kernel = emitMapIndices(scope.library, {
    map,
    columns: output.columns,
    xStride: rowStride(x),
    yStride: rowStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}
