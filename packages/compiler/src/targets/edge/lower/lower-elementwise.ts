import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import type { Activation, BinaryOperator } from '../kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { Operand } from '../program/program.ts';
import {
  broadcastView,
  elementOffsets,
  innermostDim,
  isSameLayout,
  restride,
  viewRows,
  type TensorView,
} from '../program/tensor-view.ts';
import { rowStride, type Rows, type Value } from '../program/value.ts';

// Float32 operators on elements of one tensor, or of two that broadcast.

type AppliedActivation = Exclude<Activation, 'none'>;

const ACTIVATIONS: Readonly<Record<string, (context: LoweringContext, node: Node) => AppliedActivation>> = {
  Relu: () => 'relu',
  Tanh: () => 'tanh',
  Sigmoid: () => 'sigmoid',
  Exp: () => 'exp',
  Log: () => 'log',
  Sqrt: () => 'sqrt',
  Reciprocal: () => 'reciprocal',
  Abs: () => 'abs',
  Neg: () => 'neg',
  Floor: () => 'floor',
  Ceil: () => 'ceil',
  Round: () => 'round',
  Sin: () => 'sin',
  Cos: () => 'cos',
  Erf: () => 'erf',
  HardSwish: () => 'hard_swish',
  Mish: () => 'mish',
  Softplus: () => 'softplus',
  Softsign: () => 'softsign',
  Elu: (_, node) => ({ kind: 'elu', amplitude: readAttributes(node).float('alpha', 1), scale: 1, rate: 1 }),
  Celu: (_, node) => {
    const alpha = readAttributes(node).float('alpha', 1);
    return { kind: 'elu', amplitude: alpha, scale: 1, rate: 1 / alpha };
  },
  Selu: (_, node) => {
    const alpha = readAttributes(node).float('alpha', SELU.alpha);
    const gamma = readAttributes(node).float('gamma', SELU.gamma);
    return { kind: 'elu', amplitude: gamma * alpha, scale: gamma, rate: 1 };
  },
  LeakyRelu: (_, node) => ({ kind: 'leaky_relu', slope: readAttributes(node).float('alpha', 0.01) }),
  HardSigmoid: (_, node) => ({
    kind: 'hard_sigmoid',
    slope: readAttributes(node).float('alpha', 0.2),
    offset: readAttributes(node).float('beta', 0.5),
  }),
  Clip: ({ constants }, { inputs: [, low = '', high = ''] }) => ({
    kind: 'clip',
    low: low ? constants.scalar(low) : -LARGEST,
    high: high ? constants.scalar(high) : LARGEST,
  }),
  Gelu: (_, node) => (readAttributes(node).string('approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu'),
};

/** ONNX's defaults. */
const SELU = { alpha: 1.67326319217681884765625, gamma: 1.05070102214813232421875 };

/** Operators of one tensor that are a function of each element. */
export const ACTIVATION_OPERATORS: readonly string[] = Object.keys(ACTIVATIONS);

/** Of float32. */
export const LARGEST = 3.4028234663852886e38;

const BINARIES: Readonly<Record<string, BinaryOperator>> = {
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  PRelu: 'prelu',
  Max: 'max',
  Min: 'min',
  Sum: 'add',
};

export function lowerActivation(context: LoweringContext, node: Node): void {
  const x = floats(context, node, 0);
  const activation = ACTIVATIONS[node.opType]!(context, node);
  context.emit({ op: 'activation', x: x.value, activation, output: context.outputAs(node, x) });
}

/** The larger operand gets all dimensions of the result; the other is repeated, and laid out like it. */
export function lowerBinary(context: LoweringContext, node: Node): void {
  const operator = BINARIES[node.opType]!;
  const slots = [0, 1] as const;
  const full = slots
    .filter((slot) => !context.isConstant(node, slot))
    .toSorted((a, b) => countOf(context.tensor(node, b).dims) - countOf(context.tensor(node, a).dims))[0];
  if (full === undefined) throw refuse(node, 'both operands are constants');
  const other = 1 - full;
  const otherDims = context.isConstant(node, other)
    ? context.constants.dims(node.inputs[other]!)
    : context.tensor(node, other).dims;
  const x = broadcastTo(context, node, floats(context, node, full), otherDims);
  const [a, b] = slots.map((slot): Operand => {
    if (slot === full) return { value: x.value };
    return context.isConstant(node, slot)
      ? constantLike(context, node, slot, x)
      : { value: valueLike(context, node, context.tensor(node, slot), x) };
  }) as [Operand, Operand];
  context.emit({ op: 'binary', operator, a, b, output: context.outputAs(node, x) });
}

/** Max, Min and Sum of any number of operands, two at a time. */
export function lowerVariadic(context: LoweringContext, node: Node): void {
  const [first = '', ...others] = node.inputs;
  if (others.length === 0) return context.define(node, context.tensor(node, 0));
  const [output = ''] = node.outputs;
  others.reduce((left, right, index) => {
    const result = index === others.length - 1 ? output : `${output}.${index}`;
    lowerBinary(context, { ...node, inputs: [left, right], outputs: [result] });
    return result;
  }, first);
}

/** A tensor with the dimensions that it has together with another one; copied where it must be repeated. */
function broadcastTo(
  context: LoweringContext,
  node: Node,
  view: TensorView,
  others: readonly Rows[],
): TensorView {
  const rank = Math.max(view.dims.length, others.length);
  const at = (dims: readonly Rows[], dim: number): Rows => dims[dim - rank + dims.length] ?? 1;
  const dims = Array.from({ length: rank }, (_, dim) =>
    at(view.dims, dim) === 1 ? at(others, dim) : at(view.dims, dim),
  );
  if (dims.every((extent, dim) => extent === at(view.dims, dim)) && rank === view.dims.length) return view;
  const repeated = broadcastView(view, dims)!;
  return context.relaid(node, repeated, innermostDim(repeated));
}

function floats(context: LoweringContext, node: Node, slot: number): TensorView {
  if (context.isBytes(node, slot)) throw refuse(node, `its input "${node.inputs[slot]}" is quantized`);
  return context.whole(node, slot);
}

function countOf(dims: readonly Rows[]): number {
  return dims.reduce<number>((count, dim) => count * (dim === 'sequence' ? Number.MAX_SAFE_INTEGER : dim), 1);
}

/** A tensor's elements at the places of another's: in a buffer of as many rows, or of one where all rows are alike. */
export function valueLike(context: LoweringContext, node: Node, view: TensorView, like: TensorView): Value {
  const { from, to, rows } = alongside(node, view, like);
  const value: Value = {
    name: `${view.value.name}.like`,
    kind: view.value.kind === 'bytes' ? 'bytes' : 'float',
    rows,
    columns: like.value.columns,
  };
  const isThere =
    from.value.kind === value.kind &&
    from.value.rows === rows &&
    from.value.columns === value.columns &&
    isSameLayout(from, restride(to, from.value));
  if (isThere) return from.value;
  context.copy(node, from, restride(to, value));
  return value;
}

/** The same for a constant of float32, packed where the kernels read it. */
function constantLike(context: LoweringContext, node: Node, slot: number, like: TensorView): Operand {
  const name = node.inputs[slot]!;
  const dims = context.constants.dims(name);
  const constant: Value = { name, kind: 'dense', rows: 1, columns: countOf(dims) };
  const { from, to: alike, rows } = alongside(node, viewRows(constant, dims), like);
  if (rows === 'sequence') throw refuse(node, 'a constant with a row for each token is not supported');
  // In rows as the result's, whatever the other operand has behind its columns.
  const to = restride(alike, { name, kind: 'float', rows, columns: like.value.columns });
  const width = rowStride(to.value);
  const use = JSON.stringify([rows, width, to.dims, to.axes]);
  const address = context.constants.packed(name, use, (values) => {
    const [source, target] = [elementOffsets(from), elementOffsets(to)];
    const packed = new Float32Array(rows * width);
    source.forEach((element, index) => {
      packed[target[index]!] = values[element]!;
    });
    return packed;
  });
  return { address, rows };
}

/** A tensor broadcast to the dimensions of another, and the other; of both only the first row where all are alike. */
function alongside(
  node: Node,
  view: TensorView,
  like: TensorView,
): { from: TensorView; to: TensorView; rows: Rows } {
  const from = broadcastView(view, like.dims);
  if (!from) throw refuse(node, 'its operands have different shapes');
  const width = rowStride(like.value);
  const overRows = like.axes.map((axes) => axes.some(({ stride }) => stride >= width));
  const isRepeated = from.axes.every(
    (axes, dim) => !overRows[dim] || axes.every(({ stride }) => stride === 0),
  );
  if (!isRepeated) return { from, to: like, rows: like.value.rows };
  // A dimension may go on along the row, where all elements are alike as well.
  const axes = like.axes.map((list) => list.filter(({ stride }) => stride < width));
  const dims = axes.map((list) => list.reduce((product, { extent }) => product * (extent as number), 1));
  const alike = (extent: number): TensorView['axes'][number] => (extent === 1 ? [] : [{ extent, stride: 0 }]);
  return {
    from: { ...from, dims, axes: from.axes.map((list, dim) => (overRows[dim] ? alike(dims[dim]!) : list)) },
    to: { ...like, dims, axes },
    rows: 1,
  };
}
