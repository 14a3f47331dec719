import {
  BYTE_LIMITS_BYTES,
  COPY_TABLE_BYTES,
  emitAverageBytes,
  emitAveragePool,
  emitBinaryBytes,
  emitCopyElements,
  emitDequantizeRows,
  emitFillRows,
  emitMaxPoolBytes,
  emitMaxPoolRows,
  emitQuantizeFloats,
  emitQuantizeImage,
  emitReduceRows,
  emitResizeLinear,
  emitResizeTaps,
  type CopyLoop,
} from '../kernels/index.ts';
import type { MapStep } from '../program/program.ts';
import { readsRows, writesRows } from '../program/step-rows.ts';
import type { ConvOp } from './emit-conv-steps.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { outputRows, rowZero, whole, type StepScope } from './step-scope.ts';
import { bytesStride, elementBytes, floatStride, rowStride } from '../program/value.ts';
import { i32, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';

/** Positions that a cubic interpolation reads along an axis. */
const CUBIC_TAPS = 4;

/** What bounds the bytes of a result. */
const limitsBytes = (): number => BYTE_LIMITS_BYTES;

/** What runs over maps, of bytes and of floats, but convolutions. */
export const MAP_STEPS: StepEmitters<Exclude<MapStep['op'], ConvOp>> = {
  'quantize-image': { emit: emitQuantize, scratchBytes: limitsBytes },
  'quantize-rows': { emit: emitQuantizeRows, scratchBytes: limitsBytes },
  'binary-bytes': { emit: emitBinary, scratchBytes: limitsBytes },
  average: { emit: emitAverage, scratchBytes: limitsBytes },
  'max-pool': { emit: emitMaxPool },
  'average-pool': { emit: emitWindowMeans, scratchBytes: limitsBytes },
  copy: { emit: emitCopy, scratchBytes: ({ table }) => (table === undefined ? 0 : COPY_TABLE_BYTES) },
  fill: { emit: emitFill },
  load: { emit: emitLoad },
  'resize-linear': { emit: emitLinearResize },
  'resize-cubic': { emit: emitCubicResize },
  dequantize: { emit: emitDequantize },
  'reduce-rows': { emit: emitReduction },
  'max-pool-rows': { emit: emitFloatMaxPool },
};

function emitQuantize(
  f: FunctionBuilder,
  { x, grid, output }: StepOf<'quantize-image'>,
  scope: StepScope,
): void {
  const pixels = output.rows as number;
  const channels = output.columns;
  const kernel = emitQuantizeImage(scope.library, { channels, pixels, grid, yStride: bytesStride(output) });
  f.call(kernel, {
    x: whole(x, scope),
    ...outputRows(output, scope),
    scratch: scope.scratch,
  });
}

function emitQuantizeRows(
  f: FunctionBuilder,
  { x, grid, output }: StepOf<'quantize-rows'>,
  scope: StepScope,
): void {
  const kernel = emitQuantizeFloats(scope.library, {
    columns: output.columns,
    grid,
    xStride: floatStride(x),
    yStride: bytesStride(output),
  });
  f.call(kernel, {
    x: rowZero(x, scope),
    ...outputRows(output, scope),
    scratch: scope.scratch,
  });
}

function emitBinary(
  f: FunctionBuilder,
  { operator, a, b, grids, output }: StepOf<'binary-bytes'>,
  scope: StepScope,
): void {
  const isRepeated = b.rows !== output.rows;
  const kernel = emitBinaryBytes(scope.library, {
    operator,
    a: grids[0],
    b: grids[1],
    output: grids[2],
    columns: output.columns,
    aStride: bytesStride(a),
    bStride: isRepeated ? 0 : bytesStride(b),
    yStride: bytesStride(output),
  });
  f.call(kernel, {
    a: rowZero(a, scope),
    b: isRepeated ? whole(b, scope) : rowZero(b, scope),
    ...outputRows(output, scope),
    scratch: scope.scratch,
  });
}

function emitWindowMeans(
  f: FunctionBuilder,
  { x, window, countsPadding, grids, output }: StepOf<'average-pool'>,
  scope: StepScope,
): void {
  const yStride = elementBytes(output) * rowStride(output);
  const kernel = emitAveragePool(scope.library, { ...window, countsPadding, grids, yStride });
  f.call(kernel, {
    x: whole(x, scope),
    ...outputRows(output, scope),
    scratch: scope.scratch,
  });
}

function emitAverage(f: FunctionBuilder, { x, grids, output }: StepOf<'average'>, scope: StepScope): void {
  const [input, mean] = grids;
  const kernel = emitAverageBytes(scope.library, {
    channels: x.columns,
    pixels: x.rows as number,
    input,
    output: mean,
    xStride: bytesStride(x),
  });
  f.call(kernel, { x: whole(x, scope), y: rowZero(output, scope), scratch: scope.scratch });
}

function emitMaxPool(f: FunctionBuilder, { x, window, output }: StepOf<'max-pool'>, scope: StepScope): void {
  const kernel = emitMaxPoolBytes(scope.library, { ...window, yStride: bytesStride(output) });
  f.call(kernel, { x: whole(x, scope), ...outputRows(output, scope) });
}

function emitCopy(f: FunctionBuilder, step: StepOf<'copy'>, scope: StepScope): void {
  const { x, loops, list, table, output } = step;
  const size = elementBytes(output);
  const inBytes = (axes: readonly CopyLoop[]): CopyLoop[] =>
    axes.map(({ extent, from, to }) => ({ extent, from: size * from, to: size * to }));
  const kernel = emitCopyElements(scope.library, {
    elementBytes: size,
    rows: inBytes(loops.rows),
    columns: inBytes(loops.columns),
    isListed: list !== undefined,
    hasTable: table !== undefined,
  });
  f.call(kernel, {
    x: i32.add(readsRows(step) ? rowZero(x, scope) : whole(x, scope), size * loops.from),
    list: list ?? 0,
    table: table ?? 0,
    y: i32.add(writesRows(step) ? rowZero(output, scope) : whole(output, scope), size * loops.to),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitLoad(f: FunctionBuilder, { address, output }: StepOf<'load'>, scope: StepScope): void {
  const stride = 4 * rowStride(output);
  const kernel = emitCopyElements(scope.library, {
    elementBytes: 4,
    rows: [{ extent: output.rows as number, from: stride, to: stride }],
    columns: [{ extent: output.columns, from: 4, to: 4 }],
    isListed: false,
    hasTable: false,
  });
  f.call(kernel, {
    x: address,
    list: 0,
    table: 0,
    ...outputRows(output, scope),
    scratch: scope.scratch,
  });
}

function emitFill(f: FunctionBuilder, { value, output }: StepOf<'fill'>, scope: StepScope): void {
  const size = elementBytes(output);
  const kernel = emitFillRows(scope.library, { elementBytes: size, stride: size * rowStride(output), value });
  f.call(kernel, outputRows(output, scope));
}

type Resize = StepOf<'resize-linear' | 'resize-cubic'>;

function emitLinearResize(f: FunctionBuilder, step: Resize, scope: StepScope): void {
  const kernel = emitResizeLinear(scope.library, {
    elementBytes: elementBytes(step.output),
    ...resizeSpec(step),
  });
  f.call(kernel, resizePointers(step, scope));
}

function emitCubicResize(f: FunctionBuilder, step: Resize, scope: StepScope): void {
  const kernel = emitResizeTaps(scope.library, { taps: CUBIC_TAPS, ...resizeSpec(step) });
  f.call(kernel, resizePointers(step, scope));
}

function resizeSpec({ x, outWidth, output }: Resize): Record<'xStride' | 'yStride' | 'outWidth', number> {
  const size = elementBytes(output);
  return { xStride: size * rowStride(x), yStride: size * rowStride(output), outWidth };
}

function resizePointers(
  { x, rowTaps, columnTaps, output }: Resize,
  scope: StepScope,
): Record<'x' | 'rowTaps' | 'columnTaps' | 'y' | 'm0' | 'm1', Expr<'i32'>> {
  return {
    x: i32.const(whole(x, scope)),
    rowTaps: i32.const(rowTaps),
    columnTaps: i32.const(columnTaps),
    ...outputRows(output, scope),
  };
}

function emitDequantize(
  f: FunctionBuilder,
  { x, grid, output }: StepOf<'dequantize'>,
  scope: StepScope,
): void {
  const kernel = emitDequantizeRows(scope.library, {
    columns: output.columns,
    grid,
    xStride: bytesStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), ...outputRows(output, scope) });
}

function emitReduction(
  f: FunctionBuilder,
  { x, reduction, output }: StepOf<'reduce-rows'>,
  scope: StepScope,
): void {
  const groups = output.rows as number;
  const kernel = emitReduceRows(scope.library, {
    reduction,
    columns: x.columns,
    groups,
    rows: (x.rows as number) / groups,
    xStride: floatStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: whole(x, scope), ...outputRows(output, scope) });
}

function emitFloatMaxPool(
  f: FunctionBuilder,
  { x, window, output }: StepOf<'max-pool-rows'>,
  scope: StepScope,
): void {
  const kernel = emitMaxPoolRows(scope.library, { ...window, yStride: 4 * floatStride(output) });
  f.call(kernel, { x: whole(x, scope), ...outputRows(output, scope) });
}
