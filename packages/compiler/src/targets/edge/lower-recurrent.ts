import type { Node } from '../../ir/index.ts';
import { readAttributes } from '../../ops/index.ts';
import { LSTM_GATES, lstmGateColumns, packLstmGates } from './kernels/index.ts';
import { padRows } from './int4.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { Address, FloatWeight, Operand, QuantizedWeight } from './program.ts';
import { sliceView, viewRows, type TensorView } from './tensor-view.ts';
import { roundUp, type Value } from './value.ts';

// Layers with a memory, one direction after the other. States are ordinary inputs and outputs.

/**
 * ai.onnx LSTM: X [steps, 1, features], W, R, B?, –, initial_h?, initial_c? → Y, Y_h?, Y_c?; com.microsoft DynamicQuantizeLSTM with
 * W and R in int8.
 */
export function lowerLstm(context: LoweringContext, node: Node): void {
  refuseVariants(context, node);
  const [directions = 1, ...matrix] = context.constants.dims(node.inputs[2]!);
  const hidden = Math.min(...matrix);
  const x = context.input(node, 0);
  const steps = x.rows as number;
  const runs = Array.from({ length: directions }, (_, index) =>
    lowerDirection(context, node, { x, hidden, index, directions }),
  );
  const state = [directions, 1, hidden];
  const sequences = runs.map(({ y }) => viewRows(y, [steps, 1, 1, hidden]));
  const hiddens = runs.map(({ y, last }) => sliceView(viewRows(y, [steps, 1, hidden]), 0, last, 1));
  define(context, node, 0, [steps, directions, 1, hidden], 1, sequences);
  define(context, node, 1, state, 0, hiddens);
  define(
    context,
    node,
    2,
    state,
    0,
    runs.map(({ cell }) => viewRows(cell, [1, 1, hidden])),
  );
}

interface Direction {
  readonly x: Value;
  readonly hidden: number;
  readonly index: number;
  readonly directions: number;
}

interface Run {
  /** The hidden state after every step. */
  readonly y: Value;
  /** The step that is computed last. */
  readonly last: number;
  readonly cell: Value;
}

function lowerDirection(context: LoweringContext, node: Node, direction: Direction): Run {
  const { x, hidden, index } = direction;
  const name = `${node.name || node.outputs[0] || node.outputs[1]}.${index}`;
  const steps = x.rows as number;
  const gates: Value = {
    name: `${name}.gates`,
    kind: 'float',
    rows: steps,
    columns: lstmGateColumns(hidden),
  };
  const isInt8 = node.opType === 'DynamicQuantizeLSTM';
  const { weight, recurrence } = (isInt8 ? int8Weights : floatWeights)(context, node, direction);
  const source = isInt8 ? context.quantized(x, undefined) : x;
  context.emit({ op: 'linear', x: source, weight, activation: 'none', output: gates });

  const reverse = index === 1 || readAttributes(node).string('direction', 'forward') === 'reverse';
  const output: Value = { name: `${name}.y`, kind: 'float', rows: steps, columns: hidden };
  const cell: Value = { name: `${name}.cell`, kind: 'float', rows: 1, columns: hidden };
  const [h, c] = [5, 6].map((slot) => initialState(context, node, slot, direction)) as [Operand, Operand];
  context.emit({ op: 'lstm', gates, weights: recurrence, h, c, reverse, output, cell });
  return { y: output, last: reverse ? 0 : steps - 1, cell };
}

interface Weights {
  /** Of x, with the biases. */
  readonly weight: FloatWeight | QuantizedWeight;
  /** Of the state. */
  readonly recurrence: Address | QuantizedWeight;
}

/** One direction's part of values that all directions have. */
function partOf<T extends Float32Array | Int8Array>(values: T, { index, directions }: Direction): T {
  const count = values.length / directions;
  return values.subarray(index * count, (index + 1) * count) as T;
}

function floatWeights({ constants }: LoweringContext, node: Node, direction: Direction): Weights {
  const { x, hidden, index } = direction;
  const [, w = '', r = '', b = ''] = node.inputs;
  const use = `lstm ${index}`;
  const pack = (name: string, k: number): Address =>
    constants.packed(name, use, (values) => packLstmGates(partOf(values, direction), hidden, k));
  const columns = lstmGateColumns(hidden);
  const bias = b
    ? constants.packed(b, use, (values) => gateBias(partOf(values, direction), hidden))
    : constants.bias('', columns);
  const weight = { kind: 'float32', k: x.columns, n: columns, panels: pack(w, x.columns), bias } as const;
  return { weight, recurrence: pack(r, hidden) };
}

function int8Weights({ constants }: LoweringContext, node: Node, direction: Direction): Weights {
  const { x, hidden, index } = direction;
  const [, w = '', r = '', b = '', , , , , wScale = '', wZero = '', rScale = '', rZero = ''] = node.inputs;
  const columns = LSTM_GATES * hidden;
  const pad = <T extends Float32Array | Int8Array>(values: T): T =>
    padRows(values, hidden, roundUp(hidden, 8)) as T;
  const matrix = (
    name: string,
    scaleName: string,
    zeroName: string,
    k: number,
    biasName: string,
  ): QuantizedWeight => {
    const values = constants.int8(name);
    if (values === undefined || constants.numbers(zeroName).some((zero) => zero !== 0))
      throw refuse(node, 'weights that are not int8 with zero points of 0 are not supported');
    const scales = Float32Array.from(constants.numbers(scaleName));
    const scale = partOf(scales, direction);
    return constants.int8Matrix(`${name} ${index} ${biasName}`, () => ({
      k,
      n: lstmGateColumns(hidden),
      values: pad(partOf(values, direction)),
      scale: pad(scale.length === 1 ? new Float32Array(columns).fill(scale[0]!) : scale),
      bias: biasName
        ? gateBias(partOf(Float32Array.from(constants.numbers(biasName)), direction), hidden)
        : undefined,
    }));
  };
  return { weight: matrix(w, wScale, wZero, x.columns, b), recurrence: matrix(r, rScale, rZero, hidden, '') };
}

/** The state [directions, 1, hidden] of an input slot, of one direction; zeros where it is left out. */
function initialState(context: LoweringContext, node: Node, slot: number, direction: Direction): Operand {
  const { constants } = context;
  const { hidden, index } = direction;
  const name = node.inputs[slot] ?? '';
  if (name === '') return { address: constants.bias('', hidden), rows: 1 };
  if (context.isConstant(node, slot)) {
    const address = constants.packed(name, `state ${index}`, (values) => {
      const padded = new Float32Array(roundUp(hidden, 8));
      padded.set(partOf(values, direction));
      return padded;
    });
    return { address, rows: 1 };
  }
  return { value: context.rows(node, sliceView(context.tensor(node, slot), 0, index, 1)) };
}

/** ONNX's biases of input and state, [8·hidden], as one row for all gates. */
function gateBias(values: Float32Array, hidden: number): Float32Array {
  const row = new Float32Array(lstmGateColumns(hidden));
  const count = LSTM_GATES * hidden;
  for (let i = 0; i < count; i++)
    row[Math.floor(i / hidden) * roundUp(hidden, 8) + (i % hidden)] = values[i]! + values[count + i]!;
  return row;
}

/** One of the node's outputs: what the directions made, side by side along an axis. */
function define(
  context: LoweringContext,
  node: Node,
  slot: number,
  dims: readonly number[],
  axis: number,
  parts: readonly TensorView[],
): void {
  const name = node.outputs[slot];
  if (!name) return;
  const [only, ...more] = parts;
  if (more.length === 0) return context.define(node, { ...only!, dims }, slot);
  const columns = dims.at(-1)!;
  const rows = dims.reduce((product, dim) => product * dim, 1) / columns;
  const target = viewRows({ name, kind: 'float', rows, columns }, dims);
  parts.forEach((part, index) => context.copy(node, part, sliceView(target, axis, index, 1)));
  context.define(node, target, slot);
}

function refuseVariants(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const [, , , , lengths = '', , , peepholes = ''] = node.inputs;
  const { dims } = context.tensor(node, 0);
  const activations = attributes.strings('activations') ?? [];
  const usual = ['Sigmoid', 'Tanh', 'Tanh'];
  const variants: readonly (readonly [boolean, string])[] = [
    [dims.length !== 3 || dims[1] !== 1, 'a batch other than 1'],
    [dims.includes('sequence'), 'a sequence of tokens'],
    [activations.some((name, index) => name !== usual[index % usual.length]), 'activations of its own'],
    [attributes.has('clip'), 'clip'],
    [attributes.int('layout', 0) !== 0, 'layout 1'],
    [attributes.int('input_forget', 0) !== 0, 'input_forget'],
    [lengths !== '', 'sequence_lens'],
    [peepholes !== '', 'peepholes'],
    [[1, 2].some((slot) => !context.isConstant(node, slot)), 'weights that are no constants'],
  ];
  const variant = variants.find(([present]) => present)?.[1];
  if (variant !== undefined) throw refuse(node, `${variant} is not supported`);
}
