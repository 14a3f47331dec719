import {
  attentionScratchBytes,
  emitActivateRows,
  emitAttention,
  emitBinaryRows,
  emitEmbedLayerNorm,
  emitGru,
  emitKeyBias,
  emitLayerNorm,
  emitLinearF32,
  emitLinearInt8,
  emitLstm,
  emitPackKeys,
  emitPackValues,
  emitQuantizeRows,
  emitRepeated,
  emitSoftmaxRows,
  gruScratchBytes,
  linearInt8ScratchBytes,
  lstmScratchBytes,
  type Activation,
  type ActivationQuantization,
  type GruSpec,
  type LstmSpec,
} from './kernels/index.ts';
import { emitMapStep, isMapStep, mapStepScratchBytes } from './emit-map-step.ts';
import { emitSelectionStep, isSelectionStep, selectionStepScratchBytes } from './emit-selection-step.ts';
import type {
  FloatWeight,
  MapStep,
  Operand,
  Quantized,
  QuantizedWeight,
  SelectionStep,
  Step,
  Table,
} from './program.ts';
import { origin, rowZero, whole, type StepScope } from './step-scope.ts';
import { floatStride, quantizedParts, quantizedStride, roundUp, type Value } from './value.ts';
import { i32, v128, type Expr, type FunctionBuilder } from '../../wasm/index.ts';

/** Scratch that the kernels of a step use, for blocks of at most `rows` rows. */
export function stepScratchBytes(step: Step, rows: number, maxSequence: number): number {
  if (step.op === 'linear' && step.weight.kind === 'int8') return linearInt8ScratchBytes(step.weight.k, rows);
  if (step.op === 'lstm') return lstmScratchBytes(lstmSpec(step));
  if (step.op === 'gru') return gruScratchBytes(gruSpec(step));
  if (isSelectionStep(step)) return selectionStepScratchBytes(step);
  if (step.op !== 'attention') return isMapStep(step) ? mapStepScratchBytes(step, rows) : 0;
  return attentionScratchBytes(headsSpec(step.heads, step.output, maxSequence));
}

type Emitters = {
  readonly [O in Exclude<Step, MapStep | SelectionStep>['op']]: (
    f: FunctionBuilder,
    step: StepOf<O>,
    scope: StepScope,
  ) => void;
};
type StepOf<O extends Step['op']> = Extract<Step, { op: O }>;

const EMITTERS: Emitters = {
  embed: emitEmbed,
  'layer-norm': emitNorm,
  quantize: emitQuantize,
  linear: (f, step, scope) =>
    step.weight.kind === 'int8'
      ? emitInt8(f, step, step.weight, scope)
      : emitFloat(f, step, step.weight, scope),
  'key-bias': emitBias,
  'pack-keys': emitPack,
  'pack-values': emitPack,
  attention: emitAttend,
  activation: emitActivate,
  binary: emitBinary,
  softmax: emitSoftmax,
  'pick-row': emitPickRow,
  lstm: emitLstmStep,
  gru: emitGruStep,
};

/** Emits the call that computes rows [m0, m1) of a step. */
export function emitStep(f: FunctionBuilder, step: Step, scope: StepScope): void {
  if (isMapStep(step)) return emitMapStep(f, step, scope);
  if (isSelectionStep(step)) return emitSelectionStep(f, step, scope);
  const emit = EMITTERS[step.op] as (f: FunctionBuilder, step: Step, scope: StepScope) => void;
  emit(f, step, scope);
}

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
    y: rowZero(output, scope),
    ...quantizedPointers(step.quantized?.value, scope),
    m0: scope.m0,
    m1: scope.m1,
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
    y: rowZero(output, scope),
    ...quantizedPointers(step.quantized?.value, scope),
    m0: scope.m0,
    m1: scope.m1,
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
    y: rowZero(output, scope),
    scratch: scope.scratch,
    keyCount: scope.sequence,
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitActivate(f: FunctionBuilder, step: StepOf<'activation'>, scope: StepScope): void {
  const { x, activation, output } = step;
  const kernel = emitActivateRows(scope.library, {
    n: output.columns,
    activation,
    xStride: floatStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}

function emitBinary(f: FunctionBuilder, step: StepOf<'binary'>, scope: StepScope): void {
  const { operator, a, b, output } = step;
  const yStride = floatStride(output);
  const strideOf = (operand: Operand): number => {
    const { rows } = 'value' in operand ? operand.value : operand;
    if (rows !== output.rows) return 0;
    return 'value' in operand ? floatStride(operand.value) : yStride;
  };
  const addressOf = (operand: Operand): Expr<'i32'> => {
    if (!('value' in operand)) return i32.const(operand.address);
    return strideOf(operand) === 0 ? i32.const(whole(operand.value, scope)) : rowZero(operand.value, scope);
  };
  const kernel = emitBinaryRows(scope.library, {
    operator,
    n: output.columns,
    aStride: strideOf(a),
    bStride: strideOf(b),
    yStride,
  });
  f.call(kernel, {
    a: addressOf(a),
    b: addressOf(b),
    y: rowZero(output, scope),
    m0: scope.m0,
    m1: scope.m1,
  });
}

function emitSoftmax(f: FunctionBuilder, { x, isLog, output }: StepOf<'softmax'>, scope: StepScope): void {
  const kernel = emitSoftmaxRows(scope.library, {
    isLog,
    n: output.columns,
    xStride: floatStride(x),
    yStride: floatStride(output),
  });
  f.call(kernel, { x: rowZero(x, scope), y: rowZero(output, scope), m0: scope.m0, m1: scope.m1 });
}

type Recurrent = StepOf<'lstm' | 'gru'>;

function recurrentSpec({ reverse, batch, output }: Recurrent): Omit<LstmSpec, 'pairs'> {
  const steps = (output.rows as number) / batch;
  return { hidden: output.columns, steps, reverse, batch, yStride: floatStride(output) };
}

function lstmSpec(step: StepOf<'lstm'>): LstmSpec {
  const spec = recurrentSpec(step);
  return typeof step.weights === 'number' ? spec : { ...spec, pairs: step.weights.pairs };
}

function gruSpec(step: StepOf<'gru'>): GruSpec {
  return { ...recurrentSpec(step), resetsProduct: step.bias !== undefined };
}

/** Bytes from one sequence of a batch to the next. */
function sequenceSteps({ gates, h, output }: Recurrent): Record<'gates' | 'h' | 'y', number> {
  return { gates: 4 * floatStride(gates), h: operandStep(h, output), y: 4 * floatStride(output) };
}

/** Bytes from one row of states to the next. */
function operandStep(operand: Operand, { columns }: Value): number {
  return 4 * ('value' in operand ? floatStride(operand.value) : roundUp(columns, 8));
}

function wholeOperand(operand: Operand, scope: StepScope): number {
  return 'value' in operand ? whole(operand.value, scope) : operand.address;
}

function emitLstmStep(f: FunctionBuilder, step: StepOf<'lstm'>, scope: StepScope): void {
  const { weights, batch } = step;
  const int8 = typeof weights === 'number' ? undefined : weights;
  const steps = sequenceSteps(step);
  const kernel = emitRepeated(scope.library, emitLstm(scope.library, lstmSpec(step)), {
    count: batch,
    steps: { ...steps, c: operandStep(step.c, step.output), cell: 4 * floatStride(step.cell) },
  });
  f.call(kernel, {
    gates: whole(step.gates, scope),
    weights: typeof weights === 'number' ? weights : weights.panels,
    weightScale: int8?.scale ?? 0,
    colsum: int8?.columnSums ?? 0,
    pairFlags: int8?.pairFlags ?? 0,
    h: wholeOperand(step.h, scope),
    c: wholeOperand(step.c, scope),
    y: whole(step.output, scope),
    cell: whole(step.cell, scope),
    scratch: scope.scratch,
  });
}

function emitGruStep(f: FunctionBuilder, step: StepOf<'gru'>, scope: StepScope): void {
  const kernel = emitRepeated(scope.library, emitGru(scope.library, gruSpec(step)), {
    count: step.batch,
    steps: sequenceSteps(step),
  });
  f.call(kernel, {
    gates: whole(step.gates, scope),
    weights: step.weights,
    bias: step.bias ?? 0,
    h: wholeOperand(step.h, scope),
    y: whole(step.output, scope),
    scratch: scope.scratch,
  });
}

/** Copies one row, padding included. */
function emitPickRow(f: FunctionBuilder, { x, row, output }: StepOf<'pick-row'>, scope: StepScope): void {
  const bytes = 4 * floatStride(output);
  const from = f.let(i32.const(whole(x, scope) + row * 4 * floatStride(x)));
  const to = f.let(rowZero(output, scope));
  const end = f.let(i32.add(to, bytes));
  f.whileBelow(to, end, 16, () => {
    f.do(v128.store(to, v128.load(from)));
    f.increment(from, 16);
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
