import type { Node } from '../../ir/index.ts';
import { readAttributes } from '../../ops/index.ts';
import { LSTM_GATES, lstmGateColumns, packLstmGates } from './kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { FloatWeight, Operand } from './program.ts';
import { sliceView, viewRows, type TensorView } from './tensor-view.ts';
import { roundUp, type Value } from './value.ts';

// Layers with a memory, one direction after the other. States are ordinary inputs and outputs.

/** ai.onnx LSTM: X [steps, 1, features], W, R, B?, –, initial_h?, initial_c? → Y, Y_h?, Y_c?. */
export function lowerLstm(context: LoweringContext, node: Node): void {
  refuseVariants(context, node);
  const [directions = 1, , hidden = 0] = context.constants.dims(node.inputs[2]!);
  const x = context.input(node, 0);
  const steps = x.rows as number;
  const runs = Array.from({ length: directions }, (_, index) =>
    lowerDirection(context, node, { x, hidden, index, directions }),
  );
  const state = [directions, 1, hidden];
  define(
    context,
    node,
    0,
    [steps, directions, 1, hidden],
    1,
    runs.map(({ y }) => viewRows(y, [steps, 1, 1, hidden])),
  );
  define(
    context,
    node,
    1,
    state,
    0,
    runs.map(({ y, last }) => sliceView(viewRows(y, [steps, 1, hidden]), 0, last, 1)),
  );
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
  const { x, hidden, index, directions } = direction;
  const { constants } = context;
  const name = `${node.name || node.outputs[0] || node.outputs[1]}.${index}`;
  const steps = x.rows as number;
  const columns = lstmGateColumns(hidden);
  const part = (values: Float32Array): Float32Array =>
    values.subarray((index * values.length) / directions, ((index + 1) * values.length) / directions);
  const weight: FloatWeight = {
    kind: 'float32',
    k: x.columns,
    n: columns,
    panels: constants.packed(node.inputs[1]!, `lstm ${index}`, (values) =>
      packLstmGates(part(values), hidden, x.columns),
    ),
    bias: node.inputs[3]
      ? constants.packed(node.inputs[3], `lstm ${index}`, (values) => gateBias(part(values), hidden))
      : constants.bias('', columns),
  };
  const gates: Value = { name: `${name}.gates`, kind: 'float', rows: steps, columns };
  context.emit({ op: 'linear', x, weight, activation: 'none', output: gates });

  const reverse = index === 1 || readAttributes(node).string('direction', 'forward') === 'reverse';
  const output: Value = { name: `${name}.y`, kind: 'float', rows: steps, columns: hidden };
  const cell: Value = { name: `${name}.cell`, kind: 'float', rows: 1, columns: hidden };
  const weights = constants.packed(node.inputs[2]!, `lstm ${index}`, (values) =>
    packLstmGates(part(values), hidden, hidden),
  );
  const [h, c] = [5, 6].map((slot) => initialState(context, node, slot, direction)) as [Operand, Operand];
  context.emit({ op: 'lstm', gates, weights, h, c, reverse, output, cell });
  return { y: output, last: reverse ? 0 : steps - 1, cell };
}

/** The state [directions, 1, hidden] of an input slot, of one direction; zeros where it is left out. */
function initialState(
  context: LoweringContext,
  node: Node,
  slot: number,
  { hidden, index, directions }: Direction,
): Operand {
  const { constants } = context;
  const name = node.inputs[slot] ?? '';
  if (name === '') return { address: constants.bias('', hidden), rows: 1 };
  if (context.isConstant(node, slot)) {
    const address = constants.packed(name, `state ${index}`, (values) => {
      const padded = new Float32Array(roundUp(hidden, 8));
      padded.set(
        values.subarray((index * values.length) / directions, ((index + 1) * values.length) / directions),
      );
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
