import {
  BYTE_LIMITS_BYTES,
  convF32ScratchBytes,
  convInt8ScratchBytes,
  depthwiseF32ScratchBytes,
  depthwiseInt8ScratchBytes,
  emitAddBytes,
  emitAverageBytes,
  emitAverageRows,
  emitConvF32,
  emitConvInt8,
  emitCopyBytes,
  emitDepthwiseF32,
  emitDepthwiseInt8,
  emitDequantizeRows,
  emitImageRows,
  emitMapBytes,
  emitMaxPoolBytes,
  emitMaxPoolRows,
  emitQuantizeImage,
  type ConvF32Spec,
  type ConvInt8Spec,
  type DepthwiseF32Spec,
  type DepthwiseInt8Spec,
} from './kernels/index.ts';
import { bytesStride, floatStride } from './plan-memory.ts';
import type { ConvWeight, MapStep, Value } from './program.ts';
import { rowZero, whole, type StepScope } from './step-scope.ts';
import { i32, type Expr, type FunctionBuilder } from '../../wasm/index.ts';

type StepOf<O extends MapStep['op']> = Extract<MapStep, { op: O }>;
type Emitters = {
  readonly [O in MapStep['op']]: (f: FunctionBuilder, step: StepOf<O>, scope: StepScope) => void;
};

const EMITTERS: Emitters = {
  'quantize-image': emitQuantize,
  conv: emitConv,
  depthwise: emitDepthwise,
  'add-bytes': emitAdd,
  average: emitAverage,
  'max-pool': emitMaxPool,
  concat: emitConcat,
  dequantize: emitDequantize,
  'image-rows': emitImage,
  'conv-f32': emitFloatConv,
  'depthwise-f32': emitFloatDepthwise,
  'average-rows': emitFloatAverage,
  'max-pool-rows': emitFloatMaxPool,
};

/** Emits the call that computes rows [m0, m1) of a step over maps. */
export function emitMapStep(f: FunctionBuilder, step: MapStep, scope: StepScope): void {
  const emit = EMITTERS[step.op] as (f: FunctionBuilder, step: MapStep, scope: StepScope) => void;
  emit(f, step, scope);
}

/** Scratch that the kernel of a step uses, for blocks of at most `rows` rows. */
export function mapStepScratchBytes(step: MapStep, rows: number): number {
  switch (step.op) {
    case 'conv':
      return convInt8ScratchBytes(convSpec(step), rows);
    case 'depthwise':
      return depthwiseInt8ScratchBytes(depthwiseSpec(step));
    case 'conv-f32':
      return convF32ScratchBytes(floatConvSpec(step), rows);
    case 'depthwise-f32':
      return depthwiseF32ScratchBytes(floatDepthwiseSpec(step));
    default:
      return BYTE_LIMITS_BYTES;
  }
}

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
    y: rowZero(output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function convSpec({ x, weight, window, zeroPoint, output }: StepOf<'conv'>): ConvInt8Spec {
  return {
    n: output.columns,
    bits: weight.bits,
    zeroPoint,
    yStride: zeroPoint === undefined ? 4 * floatStride(output) : bytesStride(output),
    window: window ?? { k: x.columns, xStride: bytesStride(x) },
  };
}

function emitConv(f: FunctionBuilder, step: StepOf<'conv'>, scope: StepScope): void {
  const kernel = emitConvInt8(scope.library, convSpec(step), scope.blockRows);
  f.call(kernel, {
    x: step.window ? i32.const(whole(step.x, scope)) : rowZero(step.x, scope),
    ...weightPointers(step.weight),
    pairFlags: step.weight.pairFlags,
    y: rowZero(step.output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function depthwiseSpec({ weight: _, window, zeroPoint, output }: StepOf<'depthwise'>): DepthwiseInt8Spec {
  return { ...window, channels: output.columns, yZeroPoint: zeroPoint, yStride: bytesStride(output) };
}

function emitDepthwise(f: FunctionBuilder, step: StepOf<'depthwise'>, scope: StepScope): void {
  f.call(emitDepthwiseInt8(scope.library, depthwiseSpec(step)), {
    x: whole(step.x, scope),
    ...weightPointers(step.weight),
    y: rowZero(step.output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function weightPointers({ panels, bias, columnSums, multiplier }: ConvWeight): {
  weights: number;
  bias: number;
  colsum: number;
  multiplier: number;
} {
  return { weights: panels, bias, colsum: columnSums, multiplier };
}

function emitAdd(f: FunctionBuilder, { x, y, grids, output }: StepOf<'add-bytes'>, scope: StepScope): void {
  const [a, b, sum] = grids;
  const kernel = emitAddBytes(scope.library, { a, b, output: sum, stride: bytesStride(output) });
  f.call(kernel, {
    a: rowZero(x, scope),
    b: rowZero(y, scope),
    y: rowZero(output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
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
  f.call(kernel, { x: whole(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}

function emitConcat(f: FunctionBuilder, { parts, output }: StepOf<'concat'>, scope: StepScope): void {
  let offset = 0;
  const isFloat = output.kind === 'float';
  const bytes = isFloat ? 4 : 1;
  const stride = (value: Value): number => (isFloat ? 4 * floatStride(value) : bytesStride(value));
  for (const { x, table } of parts) {
    const spec = { channels: bytes * x.columns, xStride: stride(x), yStride: stride(output), offset };
    const pointers = { x: rowZero(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 };
    if (table === undefined) f.call(emitCopyBytes(scope.library, spec), pointers);
    else f.call(emitMapBytes(scope.library, spec), { ...pointers, table });
    offset += bytes * x.columns;
  }
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
  f.call(kernel, { x: rowZero(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}

type FloatConv = StepOf<'conv-f32' | 'depthwise-f32'>;

function emitImage(f: FunctionBuilder, { x, output }: StepOf<'image-rows'>, scope: StepScope): void {
  const kernel = emitImageRows(scope.library, {
    channels: output.columns,
    pixels: output.rows as number,
    yStride: floatStride(output),
  });
  f.call(kernel, { x: whole(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}

function floatConvSpec({ window, activation, output }: FloatConv): ConvF32Spec {
  return { n: output.columns, activation, yStride: floatStride(output), window };
}

function floatDepthwiseSpec({ window, activation, output }: FloatConv): DepthwiseF32Spec {
  return { ...window, channels: output.columns, activation, yStride: floatStride(output) };
}

function emitFloatConv(f: FunctionBuilder, step: FloatConv, scope: StepScope): void {
  f.call(emitConvF32(scope.library, floatConvSpec(step)), floatConvPointers(step, scope));
}

function emitFloatDepthwise(f: FunctionBuilder, step: FloatConv, scope: StepScope): void {
  f.call(emitDepthwiseF32(scope.library, floatDepthwiseSpec(step)), floatConvPointers(step, scope));
}

function floatConvPointers(
  { x, weights, bias, output }: FloatConv,
  scope: StepScope,
): Record<'x' | 'weights' | 'bias' | 'y' | 'scratch' | 'm0' | 'm1', Expr<'i32'>> {
  return {
    x: i32.const(whole(x, scope)),
    weights: i32.const(weights),
    bias: i32.const(bias),
    y: rowZero(output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  };
}

function emitFloatAverage(f: FunctionBuilder, { x, output }: StepOf<'average-rows'>, scope: StepScope): void {
  const kernel = emitAverageRows(scope.library, {
    columns: x.columns,
    rows: x.rows as number,
    xStride: floatStride(x),
  });
  f.call(kernel, { x: whole(x, scope), y: rowZero(output, scope) });
}

function emitFloatMaxPool(
  f: FunctionBuilder,
  { x, window, output }: StepOf<'max-pool-rows'>,
  scope: StepScope,
): void {
  const kernel = emitMaxPoolRows(scope.library, { ...window, yStride: 4 * floatStride(output) });
  f.call(kernel, { x: whole(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}
