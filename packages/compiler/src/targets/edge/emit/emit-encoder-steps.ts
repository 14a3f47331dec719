import {
  attentionScratchBytes,
  emitAttention,
  emitEmbedLayerNorm,
  emitKeyBias,
  emitLayerNorm,
  emitLinearF32,
  emitLinearInt8,
  emitPackKeys,
  emitPackValues,
  emitQuantizeRows,
  linearInt8ScratchBytes,
  type Activation,
  type ActivationQuantization,
} from '../kernels/index.ts';
import type { FloatWeight, Quantized, QuantizedWeight, Table } from '../program/program.ts';
import { floatStride, quantizedParts, quantizedStride, type Value } from '../program/value.ts';
import { i32, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';
import type { StepEmitters, StepOf } from './step-emitter.ts';
import { origin, outputRows, rowZero, whole, type StepScope } from './step-scope.ts';

type EncoderOp =
  | 'embed'
  | 'layer-norm'
  | 'quantize'
  | 'linear'
  | 'key-bias'
  | 'pack-keys'
  | 'pack-values'
  | 'attention';

/** Embeddings, linear layers and attention. */
export const ENCODER_STEPS: StepEmitters<EncoderOp> = {
  embed: { emit: emitEmbed },
  'layer-norm': { emit: emitNorm },
  quantize: { emit: emitQuantize },
  linear: {
    emit: (f, step, scope) =>
      step.weight.kind === 'int8'
        ? emitInt8(f, step, step.weight, scope)
        : emitFloat(f, step, step.weight, scope),
    scratchBytes: ({ weight }, { rows }) =>
      weight.kind === 'int8' ? linearInt8ScratchBytes(weight.k, rows) : 0,
  },
  'key-bias': { emit: emitBias },
  'pack-keys': { emit: emitPack },
  'pack-values': { emit: emitPack },
  attention: {
    emit: emitAttend,
    scratchBytes: ({ heads, output }, { sequence }) =>
      attentionScratchBytes(headsSpec(heads, output, sequence)),
  },
};

function emitEmbed(f: FunctionBuilder, step: StepOf<'embed'>, scope: StepScope): void {
  const { word, position, tokenType, norm, output, paddingIndex } = step;
  const kernel = emitEmbedLayerNorm(scope.library, {
    n: output.columns,
    epsilon: norm.epsilon,
    word: tableSpec(word),
    ...(position && { position: tableSpec(position) }),
    ...(tokenType && { tokenType: tableSpec(tokenType) }),
    positions: paddingIndex === undefined ? { kind: 'arange' } : { kind: 'offset-nonpad', paddingIndex },
    yStride: floatStride(output),
    ...quantizationSpec(step.quantized),
  });
  f.call(kernel, {
    ids: whole(step.ids, scope),
    tokenTypes: step.tokenTypes ? whole(step.tokenTypes, scope) : 0,
    word: word.address,
    wordScale: word.scale,
    position: position?.address ?? 0,
    positionScale: position?.scale ?? 0,
    tokenType: tokenType?.address ?? 0,
    tokenTypeScale: tokenType?.scale ?? 0,
    gamma: norm.gamma,
    beta: norm.beta,
    ...outputRows(output, scope),
    ...quantizedPointers(step.quantized?.value, scope),
  });
}

function emitNorm(f: FunctionBuilder, step: StepOf<'layer-norm'>, scope: StepScope): void {
  const { x, skip, norm, output } = step;
  const kernel = emitLayerNorm(scope.library, {
    n: output.columns,
    epsilon: norm.epsilon,
    xStride: floatStride(x),
    yStride: floatStride(output),
    ...(skip && { skipStride: floatStride(skip) }),
    ...quantizationSpec(step.quantized),
  });
  f.call(kernel, {
    x: rowZero(x, scope),
    skip: skip ? rowZero(skip, scope) : 0,
    gamma: norm.gamma,
    beta: norm.beta,
    ...outputRows(output, scope),
    ...quantizedPointers(step.quantized?.value, scope),
  });
}

function emitQuantize(f: FunctionBuilder, { x, quantized }: StepOf<'quantize'>, scope: StepScope): void {
  const kernel = emitQuantizeRows(scope.library, {
    k: x.columns,
    xStride: floatStride(x),
    quantization: quantization(quantized),
  });
  f.call(kernel, {
    x: rowZero(x, scope),
    ...quantizedPointers(quantized.value, scope),
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitInt8(
  f: FunctionBuilder,
  step: StepOf<'linear'>,
  weight: QuantizedWeight,
  scope: StepScope,
): void {
  const { k, n, pairs } = weight;
  const kernel = emitLinearInt8(scope.library, { k, n, pairs, ...outputSpec(step, scope) });
  const { bytes, rowScale, rowZero: zero } = quantizedPointers(step.x, scope);
  f.call(kernel, {
    x: bytes,
    rowScale,
    rowZero: zero,
    weights: weight.panels,
    weightScale: weight.scale,
    colsum: weight.columnSums,
    bias: weight.bias,
    pairFlags: weight.pairFlags,
    residual: 0,
    y: outputPointer(step.output, scope),
    scratch: scope.scratch,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitFloat(f: FunctionBuilder, step: StepOf<'linear'>, weight: FloatWeight, scope: StepScope): void {
  const { k, n } = weight;
  const spec = { k, n, xStride: floatStride(step.x), ...outputSpec(step, scope) };
  const kernel = emitLinearF32(scope.library, spec, scope.rowCounts);
  f.call(kernel, {
    x: rowZero(step.x, scope),
    weights: typeof weight.panels === 'number' ? weight.panels : whole(weight.panels, scope),
    bias: weight.bias,
    residual: 0,
    y: outputPointer(step.output, scope),
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitBias(f: FunctionBuilder, { mask, output }: StepOf<'key-bias'>, scope: StepScope): void {
  f.call(emitKeyBias(scope.library, { mask: mask ? 'i32' : 'none' }), {
    mask: mask ? whole(mask, scope) : 0,
    bias: whole(output, scope),
    keyCount: scope.sequence,
  });
}

function emitPack(f: FunctionBuilder, step: StepOf<'pack-keys' | 'pack-values'>, scope: StepScope): void {
  const emit = step.op === 'pack-keys' ? emitPackKeys : emitPackValues;
  const { capacity } = scope.plan.places.get(step.output)!;
  const kernel = emit(scope.library, {
    ...headsSpec(step.heads, step.x, capacity),
    xStride: floatStride(step.x),
  });
  f.call(kernel, {
    x: rowZero(step.x, scope),
    packed: whole(step.output, scope),
    keyCount: step.x.rows === 'sequence' ? scope.sequence : step.x.rows,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitAttend(f: FunctionBuilder, step: StepOf<'attention'>, scope: StepScope): void {
  const { query, keys, values, keyBias, output } = step;
  const kernel = emitAttention(scope.library, {
    ...headsSpec(step.heads, output, scope.plan.places.get(keys)!.capacity),
    scale: step.scale,
    qStride: floatStride(query),
    yStride: floatStride(output),
  });
  f.call(kernel, {
    q: rowZero(query, scope),
    keys: whole(keys, scope),
    values: whole(values, scope),
    keyBias: whole(keyBias, scope),
    ...outputRows(output, scope),
    scratch: scope.scratch,
    keyCount: scope.sequence,
  });
}

function outputSpec(
  { activation, output }: StepOf<'linear'>,
  { plan }: StepScope,
): { activation: Activation; yStride: number; panelRows?: number } {
  const yStride = floatStride(output);
  if (output.kind !== 'values') return { activation, yStride };
  return { activation, yStride, panelRows: plan.places.get(output)!.capacity };
}

function outputPointer(output: Value, scope: StepScope): Expr<'i32'> {
  return output.kind === 'values' ? i32.const(whole(output, scope)) : rowZero(output, scope);
}

function quantizedPointers(
  value: Value | undefined,
  scope: StepScope,
): Record<'bytes' | 'rowScale' | 'rowZero', Expr<'i32'>> {
  const nowhere = i32.const(0);
  if (!value) return { bytes: nowhere, rowScale: nowhere, rowZero: nowhere };
  const { scales, zeros } = quantizedParts(value, scope.plan.places.get(value)!.capacity);
  return {
    bytes: origin(value, scope, 0, quantizedStride(value)),
    rowScale: origin(value, scope, scales, 4),
    rowZero: origin(value, scope, zeros, 4),
  };
}

function headsSpec(
  count: number,
  { columns }: Value,
  keyCapacity: number,
): { heads: number; headSize: number; keyCapacity: number } {
  return { heads: count, headSize: columns / count, keyCapacity };
}

function tableSpec({ rows, storage }: Table): Pick<Table, 'rows' | 'storage'> {
  return { rows, storage };
}

function quantizationSpec(quantized: Quantized | undefined): { quantization?: ActivationQuantization } {
  return quantized ? { quantization: quantization(quantized) } : {};
}

function quantization({ range }: Quantized): ActivationQuantization {
  return range ? { kind: 'static', ...range } : { kind: 'dynamic' };
}
