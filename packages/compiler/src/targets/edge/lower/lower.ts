import { CompilerError, type Diagnostic } from '../../../diagnostics/index.ts';
import type { Model, Node } from '../../../ir/index.ts';
import { opsetVersion, readAttributes, type AttributeReader } from '../../../ops/index.ts';
import { LoweringContext, operatorName, refuse, type LowerOptions } from './lowering-context.ts';
import { ACTIVATION_OPERATORS, lowerActivation, lowerBinary, lowerVariadic } from './lower-elementwise.ts';
import {
  lowerDequantizeLinear,
  lowerMapBytes,
  lowerMaxPool,
  lowerQGemm,
  lowerQLinearAveragePool,
  lowerQLinearBinary,
  lowerQLinearConcat,
  lowerQLinearConv,
  lowerQLinearGlobalAveragePool,
  lowerQuantizeLinear,
} from './lower-maps.ts';
import { lowerAveragePool, lowerConv, lowerFloatMaxPool } from './lower-float-maps.ts';
import { byEntry } from './lower-entries.ts';
import { lowerMatMul } from './lower-matmul.ts';
import { lowerGru } from './lower-gru.ts';
import { lowerLstm } from './lower-lstm.ts';
import {
  checkIndices,
  countOfOutputs,
  isIndexDivision,
  lowerCast,
  lowerGatherElements,
  lowerGatherNd,
  lowerGatherRows,
  lowerIndexDivision,
} from './lower-indices.ts';
import { lowerGlobalPool, lowerReduction, REDUCTION_OPERATORS } from './lower-reductions.ts';
import { lowerConcat, lowerMove, lowerPad } from './lower-moves.ts';
import { lowerResize } from './lower-resize.ts';
import { lowerArg, lowerNonMaxSuppression, lowerTopK } from './lower-selection.ts';
import type { Activation } from '../kernels/index.ts';
import type { Norm, Program, StaticRange } from '../program/program.ts';
import { isWhole, type TensorView } from '../program/tensor-view.ts';
import { roundUp, rowStride, type Value } from '../program/value.ts';

type Lowering = (context: LoweringContext, node: Node) => void;

/** What each operator becomes; an operator that is not here cannot run on the engine. */
const LOWERINGS: Readonly<Record<string, Lowering>> = {
  'edgewise.EmbedLayerNorm': lowerEmbed,
  'edgewise.Linear': lowerLinear,
  'edgewise.QuantizedLinear': lowerQuantizedLinear,
  'edgewise.Attention': lowerAttention,
  'edgewise.LayerNorm': lowerLayerNorm,
  'edgewise.AddLayerNorm': lowerLayerNorm,
  'edgewise.Gelu': lowerActivation,
  ...Object.fromEntries(ACTIVATION_OPERATORS.map((operator) => [operator, lowerActivation])),
  Add: lowerBinary,
  Sub: lowerBinary,
  Mul: lowerBinary,
  Div: (context, node) => (isIndexDivision(context, node) ? lowerIndexDivision : lowerBinary)(context, node),
  Mod: lowerIndexDivision,
  PRelu: lowerBinary,
  Max: lowerVariadic,
  Min: lowerVariadic,
  Sum: lowerVariadic,
  GRU: lowerGru,
  LSTM: lowerLstm,
  'com.microsoft.DynamicQuantizeLSTM': lowerLstm,
  MatMul: lowerMatMul,
  Softmax: lowerSoftmax,
  LogSoftmax: lowerSoftmax,
  Identity: lowerMove,
  Reshape: lowerMove,
  Flatten: lowerMove,
  Squeeze: lowerMove,
  Unsqueeze: lowerMove,
  Transpose: lowerMove,
  Slice: lowerMove,
  Split: lowerMove,
  Expand: lowerMove,
  Tile: lowerMove,
  DepthToSpace: lowerMove,
  SpaceToDepth: lowerMove,
  Gather: (context, node) => {
    if (!context.isConstant(node, 1)) return lowerGatherRows(context, node);
    return (context.hasTokens(node, 0) ? lowerGather : lowerMove)(context, node);
  },
  GatherND: (context, node) => (context.isConstant(node, 1) ? lowerMove : lowerGatherNd)(context, node),
  GatherElements: lowerGatherElements,
  Cast: lowerCast,
  ArgMax: lowerArg,
  ArgMin: lowerArg,
  TopK: lowerTopK,
  NonMaxSuppression: lowerNonMaxSuppression,
  Resize: lowerResize,
  Pad: lowerPad,
  Concat: lowerConcat,
  'edgewise.Conv': byEntry(lowerConv),
  MaxPool: byEntry((context, node) =>
    (context.isBytes(node, 0) ? lowerMaxPool : lowerFloatMaxPool)(context, node),
  ),
  AveragePool: byEntry(lowerAveragePool),
  GlobalAveragePool: lowerGlobalPool,
  GlobalMaxPool: lowerGlobalPool,
  ...Object.fromEntries(REDUCTION_OPERATORS.map((operator) => [operator, lowerReduction])),
  QuantizeLinear: lowerQuantizeLinear,
  DequantizeLinear: lowerDequantizeLinear,
  QLinearConv: byEntry(lowerQLinearConv),
  'com.microsoft.QGemm': lowerQGemm,
  'com.microsoft.QLinearAdd': lowerQLinearBinary,
  'com.microsoft.QLinearMul': lowerQLinearBinary,
  'com.microsoft.QLinearConcat': lowerQLinearConcat,
  'com.microsoft.QLinearAveragePool': byEntry(lowerQLinearAveragePool),
  'com.microsoft.QLinearGlobalAveragePool': byEntry(lowerQLinearGlobalAveragePool),
  'edgewise.MapBytes': lowerMapBytes,
};

/** Operators that the engine runs in some form, `domain.opType` without the domain for ai.onnx. */
export const ENGINE_OPERATORS: readonly string[] = Object.keys(LOWERINGS);

/** Why the engine cannot run the model: all reasons at once, empty when it can. */
export function listUnsupported(model: Model): Diagnostic[] {
  const nodes = new Map<string, Node[]>();
  for (const node of model.graph.nodes) {
    if (!(operatorName(node) in LOWERINGS)) {
      nodes.set(operatorName(node), [...(nodes.get(operatorName(node)) ?? []), node]);
    }
  }
  return [...nodes].map(([operator, of]) => ({
    severity: 'error',
    code: 'unsupported-op',
    message: `The engine has no kernel for ${operator} (${of.length} ${of.length === 1 ? 'node' : 'nodes'}).`,
    at: { node: of[0]!.name || operator },
    hint: 'Use the onnx target: onnxruntime runs the package.',
  }));
}

/**
 * Turns a compact graph (docs/architecture.md, section 4) with fixed dimensions, or tokens and batch size 1, into steps of the engine and puts its
 * constants into the store.
 *
 * @throws CompilerError `unsupported` with every reason when the engine cannot run the model.
 */
export function lowerModel(model: Model, options: LowerOptions): Program {
  const unsupported = listUnsupported(model);
  if (unsupported[0]) {
    throw new CompilerError('unsupported', unsupported[0].message, { diagnostics: unsupported });
  }
  refuseOldOpset(model);
  const context = new LoweringContext(model.graph, model.opsets, options);
  for (const node of model.graph.nodes) lowerNode(context, node);
  return context.finish();
}

/** Operators that were spelled otherwise, or broadcast by attribute, before this opset. */
const SPELLED_SINCE: Readonly<Record<string, number>> = {
  Add: 7,
  Sub: 7,
  Mul: 7,
  Div: 7,
  PRelu: 7,
  Clip: 11,
  Pad: 11,
  Resize: 11,
};

const RAISE_HINT =
  'The compact recipes raise the opset where they can; otherwise export the model again with opset 17 or newer.';

function refuseOldOpset({ opsets, graph }: Model): void {
  const opset = opsetVersion(opsets, '');
  const old = graph.nodes.find(({ domain, opType }) => domain === '' && opset < (SPELLED_SINCE[opType] ?? 0));
  if (!old) return;
  throw new CompilerError('unsupported', `The engine does not know ${old.opType} of opset ${opset}.`, {
    at: { node: old.name || old.opType },
    hint: RAISE_HINT,
  });
}

/** What constants and the evaluator refuse names the node as well. */
function lowerNode(context: LoweringContext, node: Node): void {
  try {
    checkIndices(context, node);
    const count = countOfOutputs(context, node);
    LOWERINGS[operatorName(node)]!(context, node);
    context.checkOutputs(node);
    if (count) for (const name of node.outputs) context.setCount(name, count);
  } catch (error) {
    if (!(error instanceof CompilerError) || error.code === 'bad-option' || error.at?.node) throw error;
    throw refuse(node, error.message.replace(/^The /, 'the ').replace(/\.$/, ''), error.hint);
  }
}

function lowerEmbed(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const ids = context.input(node, 0);
  const { constants } = context;
  const table = (slot: number, scaleSlot: number) =>
    node.inputs[slot] ? constants.table(node.inputs[slot], node.inputs[scaleSlot] ?? '') : undefined;
  const word = table(2, 7)!;
  const position = table(3, 8);
  const paddingIndex =
    attributes.string('position', 'arange') === 'offset-nonpad' ? attributes.int('padding_index') : undefined;
  if (position) context.checkLength(position.rows - (paddingIndex === undefined ? 0 : paddingIndex + 1));
  context.emit({
    op: 'embed',
    ids,
    tokenTypes: context.optionalInput(node, 1),
    word,
    position,
    paddingIndex,
    tokenType: table(4, -1),
    norm: norm(context, attributes, node.inputs[5]!, node.inputs[6]!),
    output: context.output(node, {
      kind: 'float',
      rows: ids.rows,
      columns: constants.dims(node.inputs[2]!)[1]!,
    }),
    quantized: undefined,
  });
}

function lowerLinear(context: LoweringContext, node: Node): void {
  const x = context.input(node, 0);
  const weight = context.constants.floatWeight(node.inputs[1]!, node.inputs[2] ?? '');
  const activation = readActivation(node);
  context.emit({ op: 'linear', x, weight, activation, output: linearOutput(context, node, x, weight.n) });
}

function lowerQuantizedLinear(context: LoweringContext, node: Node): void {
  const [, weightName = '', scale = '', bias = '', multiplier = '', xScale = '', xZeroPoint = ''] =
    node.inputs;
  const x = context.input(node, 0);
  const weight = context.constants.quantizedWeight({ weight: weightName, scale, bias, multiplier });
  const range: StaticRange | undefined = xScale
    ? { scale: context.constants.scalar(xScale), zeroPoint: context.constants.scalar(xZeroPoint) }
    : undefined;
  const activation = readActivation(node);
  const quantized = context.quantized(x, range);
  const output = linearOutput(context, node, x, weight.n);
  context.emit({ op: 'linear', x: quantized, weight, activation, output });
}

/** The value operand of an attention is written in the attention's layout at once, where the layouts agree. */
function linearOutput(context: LoweringContext, node: Node, x: Value, columns: number): Value {
  const heads = context.headsOfValues(node.outputs[0]!);
  const isAligned = heads !== undefined && (columns / heads) % 8 === 0;
  if (!isAligned) return context.outputLike(node, 0, columns);
  return context.output(node, { kind: 'values', rows: x.rows, columns });
}

function lowerAttention(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const heads = attributes.int('num_heads');
  const query = context.input(node, 0);
  const scale = attributes.float('scale', 1 / Math.sqrt(query.columns / heads));
  const keys = packed(context, context.input(node, 1), 'keys', heads);
  const values = packed(context, context.input(node, 2), 'values', heads);
  const keyBias = context.keyBias(context.optionalInput(node, 3), keys.rows);
  // The kernel writes the columns of a head in whole panels.
  const overhang = roundUp(query.columns / heads, 8) - query.columns / heads;
  const output = context.outputLike(node, 0, query.columns, overhang);
  context.emit({ op: 'attention', query, keys, values, keyBias, heads, scale, output });
}

function packed(context: LoweringContext, x: Value, kind: 'keys' | 'values', heads: number): Value {
  if (x.kind === kind) return x;
  const columns = kind === 'keys' ? x.columns : heads * roundUp(x.columns / heads, 8);
  const output: Value = { name: `${x.name}.${kind}`, kind, rows: x.rows, columns };
  context.emit({ op: kind === 'keys' ? 'pack-keys' : 'pack-values', x, heads, output });
  return output;
}

function lowerLayerNorm(context: LoweringContext, node: Node): void {
  const hasSkip = node.opType === 'AddLayerNorm';
  const x = context.input(node, 0);
  const [gamma = '', beta = ''] = node.inputs.slice(hasSkip ? 2 : 1);
  context.emit({
    op: 'layer-norm',
    x,
    skip: hasSkip ? context.input(node, 1) : undefined,
    norm: norm(context, readAttributes(node), gamma, beta),
    output: context.outputLike(node, 0, x.columns),
    quantized: undefined,
  });
}

function norm(context: LoweringContext, attributes: AttributeReader, gamma: string, beta: string): Norm {
  return {
    gamma: context.constants.vector(gamma),
    beta: context.constants.vector(beta),
    epsilon: attributes.float('epsilon', 1e-5),
  };
}

/** Along the rows of a buffer, whatever the axis is. */
function lowerSoftmax(context: LoweringContext, node: Node): void {
  const view = context.tensor(node, 0);
  if (view.value.kind === 'bytes') throw refuse(node, 'its input is quantized');
  const rank = view.dims.length;
  const isFlattening = opsetVersion(context.opsets, '') < 13;
  const axis = (readAttributes(node).int('axis', isFlattening ? 1 : -1) + rank) % rank;
  if (isFlattening && view.dims.slice(axis + 1).some((dim) => dim !== 1))
    throw refuse(node, 'all axes from one on, as before opset 13, are not supported');
  const x = isAlongRows(view, axis) ? view : context.relaid(node, view, axis);
  const isLog = node.opType === 'LogSoftmax';
  context.emit({ op: 'softmax', x: x.value, isLog, output: context.outputAs(node, x) });
}

/** Whether the rows of the buffer hold nothing but one dimension. */
function isAlongRows(view: TensorView, dim: number): boolean {
  if (!isWhole(view) || view.dims[dim] !== view.value.columns) return false;
  return view.axes[dim]!.every(({ stride }) => stride < rowStride(view.value));
}

function lowerGather(context: LoweringContext, node: Node): void {
  const x = context.input(node, 0);
  const row = context.constants.scalar(node.inputs[1] ?? '');
  const isScalar = context.constants.dims(node.inputs[1]!).length === 0;
  if (readAttributes(node).int('axis', 0) !== 1 || row < 0) {
    throw refuse(node, 'only a Gather of one row (axis 1, index from the start) is supported');
  }
  context.emit({
    op: 'pick-row',
    x,
    row,
    output: context.output(
      node,
      { kind: 'float', rows: 1, columns: x.columns },
      isScalar ? [1, x.columns] : [1, 1, x.columns],
    ),
  });
}

function readActivation(node: Node): Activation {
  return readAttributes(node).string('activation', 'none') as Activation;
}
