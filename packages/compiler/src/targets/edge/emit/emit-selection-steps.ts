import {
  emitArgRows,
  emitGatherElements,
  emitGatherRows,
  emitMapIndices,
  emitSuppressBoxes,
  emitTopKRows,
  suppressScratchBytes,
  topKScratchBytes,
} from '../kernels/index.ts';
import type { SelectionStep } from '../program/program.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { outputRows, rowZero, whole, type StepScope } from './step-scope.ts';
import { rowStride } from '../program/value.ts';
import type { Expr, FunctionBuilder } from '../../../wasm/index.ts';

/** What finds or follows indices. */
export const SELECTION_STEPS: StepEmitters<SelectionStep['op']> = {
  'arg-rows': { emit: emitArg },
  'top-k': { emit: emitTopK, scratchBytes: ({ x }) => topKScratchBytes(x.columns) },
  'suppress-boxes': {
    emit: emitSuppression,
    scratchBytes: ({ spec }) => suppressScratchBytes(spec.boxes),
  },
  'gather-rows': { emit: emitGather },
  'gather-elements': { emit: emitElements },
  'map-indices': { emit: emitMap },
};

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
    ...outputRows(output, scope),
    indices: rowZero(indices, scope),
    scratch: scope.scratch,
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
    ...outputRows(output, scope),
  };
}

function emitMap(f: FunctionBuilder, { x, map, output }: StepOf<'map-indices'>, scope: StepScope): void {
  const kernel = emitMapIndices(scope.library, {
    map,
    columns: output.columns,
    xStride: rowStride(x),
    yStride: rowStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), ...outputRows(output, scope) });
}
