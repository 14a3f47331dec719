import {
  convF32ScratchBytes,
  convInt8ScratchBytes,
  depthwiseF32ScratchBytes,
  depthwiseInt8ScratchBytes,
  emitConvF32,
  emitConvInt8,
  emitDepthwiseF32,
  emitDepthwiseInt8,
  emitRepeated,
  emitWinogradF32,
  emitWinogradInt8,
  int8PanelBytes,
  MODE,
  pairFlagWords,
  patchBytes,
  winogradF32ScratchBytes,
  winogradInt8ScratchBytes,
  type ConvF32Spec,
  type ConvInt8Spec,
  type DepthwiseF32Spec,
  type DepthwiseInt8Spec,
  type WinogradF32Spec,
  type WinogradInt8Spec,
} from '../kernels/index.ts';
import type { ConvWeight } from '../program/program.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { outputRows, rowZero, whole, type StepScope } from './step-scope.ts';
import { bytesStride, floatStride, roundUp } from '../program/value.ts';
import { i32, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';

type FloatConv = StepOf<'conv-f32' | 'depthwise-f32'>;
type Pointers = Record<'x' | 'weights' | 'bias' | 'y' | 'scratch' | 'm0' | 'm1', Expr<'i32'>>;

export type ConvOp = 'conv' | 'depthwise' | 'conv-f32' | 'depthwise-f32';

/** Convolutions over maps of bytes and of floats. */
export const CONV_STEPS: StepEmitters<ConvOp> = {
  conv: {
    emit: emitConv,
    scratchBytes: (step, { rows }) =>
      Math.max(
        convInt8ScratchBytes(convSpec(step), rows),
        step.isWinograd ? winogradInt8ScratchBytes(winogradSpec(step), rows) : 0,
      ),
  },
  depthwise: {
    emit: emitDepthwise,
    scratchBytes: (step) => depthwiseInt8ScratchBytes(depthwiseSpec(step)),
  },
  'conv-f32': {
    emit: emitFloatConv,
    scratchBytes: (step, { rows }) =>
      step.isWinograd
        ? winogradF32ScratchBytes(floatWinogradSpec(step), rows)
        : convF32ScratchBytes(floatConvSpec(step), rows),
  },
  'depthwise-f32': {
    emit: emitFloatDepthwise,
    scratchBytes: (step) => depthwiseF32ScratchBytes(floatDepthwiseSpec(step)),
  },
};

function convSpec(step: StepOf<'conv'>): ConvInt8Spec {
  const { x, weight, groups, window, zeroPoint, output } = step;
  return {
    n: output.columns / groups,
    pairs: weight.pairs,
    isRoundable: weight.isRoundable,
    isDotOnly: step.isWinograd,
    zeroPoint,
    yStride: zeroPoint === undefined ? 4 * floatStride(output) : bytesStride(output),
    window: window ?? { k: x.columns, xStride: bytesStride(x) },
  };
}

function winogradSpec(step: StepOf<'conv'>): WinogradInt8Spec {
  const { n, isRoundable, zeroPoint, yStride } = convSpec(step);
  return { n, isRoundable, zeroPoint, yStride, window: step.window! };
}

function emitConv(f: FunctionBuilder, step: StepOf<'conv'>, scope: StepScope): void {
  if (!step.isWinograd) return emitDirectConv(f, step, scope);
  const { library } = scope;
  const callWinograd = (): void => emitWinogradConv(f, step, scope);
  if (library.rung === 'simd') return callWinograd();
  const isDot = i32.or(i32.eq(library.mode, MODE.u8), i32.eq(library.mode, MODE.s8));
  f.if(isDot, () => emitDirectConv(f, step, scope), callWinograd);
}

function emitWinogradConv(f: FunctionBuilder, step: StepOf<'conv'>, scope: StepScope): void {
  const kernel = emitWinogradInt8(scope.library, winogradSpec(step), scope.blockRows, scope.rowCounts);
  const { panels, bias, multiplier } = step.weight;
  f.call(kernel, {
    x: whole(step.x, scope),
    weights: panels,
    bias,
    multiplier,
    ...outputRows(step.output, scope),
    scratch: scope.scratch,
  });
}

function emitDirectConv(f: FunctionBuilder, step: StepOf<'conv'>, scope: StepScope): void {
  const spec = convSpec(step);
  const { groups, window } = step;
  const panels = roundUp(spec.n, 8);
  const k = window ? patchBytes(window) : 0;
  const kernel = emitRepeated(
    scope.library,
    emitConvInt8(scope.library, spec, scope.blockRows, scope.rowCounts),
    {
      count: groups,
      steps: {
        x: step.x.columns / groups,
        weights: int8PanelBytes(k, spec.n),
        bias: 4 * panels,
        colsum: 4 * panels,
        multiplier: 4 * panels,
        pairFlags: (panels / 8) * 4 * pairFlagWords(k),
        y: spec.n,
      },
    },
  );
  f.call(kernel, {
    x: step.window ? i32.const(whole(step.x, scope)) : rowZero(step.x, scope),
    ...weightPointers(step.weight),
    pairFlags: step.weight.pairFlags,
    ...outputRows(step.output, scope),
    scratch: scope.scratch,
  });
}

function depthwiseSpec({ weight, window, zeroPoint, output }: StepOf<'depthwise'>): DepthwiseInt8Spec {
  return {
    ...window,
    channels: output.columns,
    yZeroPoint: zeroPoint,
    isRoundable: weight.isRoundable,
    yStride: bytesStride(output),
  };
}

function emitDepthwise(f: FunctionBuilder, step: StepOf<'depthwise'>, scope: StepScope): void {
  f.call(emitDepthwiseInt8(scope.library, depthwiseSpec(step)), {
    x: whole(step.x, scope),
    ...weightPointers(step.weight),
    ...outputRows(step.output, scope),
    scratch: scope.scratch,
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

function floatConvSpec({ groups, window, activation, output }: StepOf<'conv-f32'>): ConvF32Spec {
  return { n: output.columns / groups, activation, yStride: floatStride(output), window };
}

function floatDepthwiseSpec({ window, activation, output }: StepOf<'depthwise-f32'>): DepthwiseF32Spec {
  return { ...window, channels: output.columns, activation, yStride: floatStride(output) };
}

function floatWinogradSpec({ window, activation, output }: StepOf<'conv-f32'>): WinogradF32Spec {
  return { n: output.columns, activation, yStride: 4 * floatStride(output), window };
}

function emitFloatConv(f: FunctionBuilder, step: StepOf<'conv-f32'>, scope: StepScope): void {
  if (step.isWinograd) {
    const { library, blockRows, rowCounts } = scope;
    const winograd = emitWinogradF32(library, floatWinogradSpec(step), blockRows, rowCounts);
    return f.call(winograd, { ...floatConvPointers(step, scope), multiplier: 0 });
  }
  const spec = floatConvSpec(step);
  const { groups, window } = step;
  const panels = roundUp(spec.n, 8);
  const kernel = emitRepeated(scope.library, emitConvF32(scope.library, spec, scope.rowCounts), {
    count: groups,
    steps: { x: window.tapBytes, weights: patchBytes(window) * panels, bias: 4 * panels, y: 4 * spec.n },
  });
  f.call(kernel, floatConvPointers(step, scope));
}

function emitFloatDepthwise(f: FunctionBuilder, step: StepOf<'depthwise-f32'>, scope: StepScope): void {
  f.call(emitDepthwiseF32(scope.library, floatDepthwiseSpec(step)), floatConvPointers(step, scope));
}

function floatConvPointers({ x, weights, bias, output }: FloatConv, scope: StepScope): Pointers {
  return {
    x: i32.const(whole(x, scope)),
    weights: i32.const(weights),
    bias: i32.const(bias),
    ...outputRows(output, scope),
    scratch: scope.scratch,
  };
}
