import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import { padRows } from '../weights/int4.ts';
import { gateColumns, packGates } from '../kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { Address, FloatWeight, Operand } from '../program/program.ts';
import { permuteView, sliceView, viewRows, type TensorView } from '../program/tensor-view.ts';
import { roundUp, type Value } from '../program/value.ts';

// What LSTM and GRU share: one direction after the other, states are ordinary inputs and outputs.

export interface RecurrentLayer {
  readonly node: Node;
  readonly gates: number;
  /** A row for each step and sequence of the batch. */
  readonly x: Value;
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
  readonly directions: number;
  /** Whether the batch comes first in the sequences and states of the graph. */
  readonly isBatchFirst: boolean;
}

/** One direction of a layer. */
export interface Direction extends RecurrentLayer {
  readonly index: number;
  /** Of its values. */
  readonly name: string;
  /** From the last step to the first. */
  readonly reverse: boolean;
}

/** @throws CompilerError for a variant that the kernels do not do. */
export function readLayer(context: LoweringContext, node: Node, gates: number): RecurrentLayer {
  refuseVariants(context, node);
  const [directions = 1, ...matrix] = context.constants.dims(node.inputs[2]!);
  const isBatchFirst = readAttributes(node).int('layout', 0) !== 0;
  const given = context.tensor(node, 0);
  const view = isBatchFirst ? permuteView(given, [1, 0, 2]) : given;
  const [steps, batch] = view.dims as number[];
  return {
    node,
    gates,
    x: context.rows(node, view),
    steps: steps!,
    batch: batch!,
    hidden: Math.min(...matrix),
    directions,
    isBatchFirst,
  };
}

export function directionsOf(layer: RecurrentLayer): Direction[] {
  const { node, directions } = layer;
  const isReverse = readAttributes(node).string('direction', 'forward') === 'reverse';
  const name = node.name || node.outputs.find((output) => output !== '') || node.opType;
  return Array.from({ length: directions }, (_, index) => ({
    ...layer,
    index,
    name: `${name}.${index}`,
    reverse: isReverse || index === 1,
  }));
}

/** The value of x·W + b. */
export function gateValue({ name, gates, x, hidden }: Direction): Value {
  return { name: `${name}.gates`, kind: 'float', rows: x.rows, columns: gateColumns(gates, hidden) };
}

/** A row for each step and sequence. */
export function outputValue({ name, x, hidden }: Direction): Value {
  return { name: `${name}.y`, kind: 'float', rows: x.rows, columns: hidden };
}

/** One direction's part of values that all directions have. */
export function partOf<T extends Float32Array | Int8Array>(values: T, { index, directions }: Direction): T {
  const count = values.length / directions;
  return values.subarray(index * count, (index + 1) * count) as T;
}

/** Of x and of the state; of the first `merged` gates both biases of ONNX go to x, of the others only its own. */
export function floatWeights(
  { constants }: LoweringContext,
  direction: Direction,
  merged: number,
): { readonly weight: FloatWeight; readonly recurrence: Address } {
  const { node, gates, x, hidden, index } = direction;
  const [, w = '', r = '', b = ''] = node.inputs;
  const use = `gates ${index}`;
  const pack = (name: string, k: number): Address =>
    constants.packed(name, use, (values) => packGates(partOf(values, direction), gates, hidden, k));
  const columns = gateColumns(gates, hidden);
  const bias = b
    ? constants.packed(b, use, (values) => gateBias(partOf(values, direction), direction, merged))
    : constants.bias('', columns);
  const weight = { kind: 'float32', k: x.columns, n: columns, panels: pack(w, x.columns), bias } as const;
  return { weight, recurrence: pack(r, hidden) };
}

/** ONNX's biases of input and state, [2·gates·hidden], as one row for all gates. */
export function gateBias(
  values: Float32Array,
  { gates, hidden }: RecurrentLayer,
  merged: number,
): Float32Array {
  const row = new Float32Array(gateColumns(gates, hidden));
  const count = gates * hidden;
  for (let i = 0; i < count; i++) {
    const gate = Math.floor(i / hidden);
    row[gate * roundUp(hidden, 8) + (i % hidden)] = values[i]! + (gate < merged ? values[count + i]! : 0);
  }
  return row;
}

/** The state [directions, batch, hidden] of an input slot, of one direction; zeros where it is left out. */
export function initialState(context: LoweringContext, slot: number, direction: Direction): Operand {
  const { constants } = context;
  const { node, batch, hidden, index, isBatchFirst } = direction;
  const name = node.inputs[slot] ?? '';
  if (name === '') return { address: constants.bias('', batch * roundUp(hidden, 8)), rows: batch };
  if (context.isConstant(node, slot) && !isBatchFirst) {
    const address = constants.packed(name, `state ${index}`, (values) =>
      padRows(partOf(values, direction), hidden, roundUp(hidden, 8)),
    );
    return { address, rows: batch };
  }
  const given = context.tensor(node, slot);
  const view = isBatchFirst ? permuteView(given, [1, 0, 2]) : given;
  return { value: context.rows(node, sliceView(view, 0, index, 1)) };
}

/** Y: the states of all steps. */
export function defineSequence(context: LoweringContext, layer: RecurrentLayer, ys: readonly Value[]): void {
  const { steps, batch, hidden } = layer;
  const parts = ys.map((y) => viewRows(y, [steps, 1, batch, hidden]));
  define(context, layer, 0, joined(context, layer, 0, 1, parts), [2, 0, 1, 3]);
}

/** Y_h: the states after the last step that is computed. */
export function defineLastStates(
  context: LoweringContext,
  layer: RecurrentLayer,
  ys: readonly Value[],
): void {
  const { steps, batch, hidden } = layer;
  const parts = directionsOf(layer).map(({ index, reverse }) =>
    sliceView(viewRows(ys[index]!, [steps, batch, hidden]), 0, reverse ? 0 : steps - 1, 1),
  );
  defineStates(context, layer, 1, parts);
}

/** States [1, batch, hidden] of each direction as one output. */
export function defineStates(
  context: LoweringContext,
  layer: RecurrentLayer,
  slot: number,
  parts: readonly TensorView[],
): void {
  define(context, layer, slot, joined(context, layer, slot, 0, parts), [1, 0, 2]);
}

/** What the directions made, side by side along an axis; undefined where nobody wants it. */
function joined(
  context: LoweringContext,
  { node }: RecurrentLayer,
  slot: number,
  axis: number,
  parts: readonly TensorView[],
): TensorView | undefined {
  const name = node.outputs[slot];
  const [only, ...more] = parts;
  if (!name || more.length === 0) return name ? only : undefined;
  const dims = (only!.dims as number[]).with(axis, parts.length);
  const columns = dims.at(-1)!;
  const rows = dims.reduce((product, dim) => product * dim, 1) / columns;
  const target = viewRows({ name, kind: 'float', rows, columns }, dims);
  parts.forEach((part, index) => context.copy(node, part, sliceView(target, axis, index, 1)));
  return target;
}

function define(
  context: LoweringContext,
  { node, isBatchFirst }: RecurrentLayer,
  slot: number,
  view: TensorView | undefined,
  batchFirst: readonly number[],
): void {
  if (view) context.define(node, isBatchFirst ? permuteView(view, batchFirst) : view, slot);
}

/** Activations that ONNX gives each direction when it says nothing. */
const USUAL_ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  DynamicQuantizeLSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
};

function refuseVariants(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const [, , , , lengths = '', , , peepholes = ''] = node.inputs;
  const { dims } = context.tensor(node, 0);
  const activations = attributes.strings('activations') ?? [];
  const usual = USUAL_ACTIVATIONS[node.opType]!;
  const variants: readonly (readonly [boolean, string])[] = [
    [dims.includes('sequence'), 'a sequence of tokens'],
    [activations.some((name, index) => name !== usual[index % usual.length]), 'activations of its own'],
    [attributes.has('clip'), 'clip'],
    [attributes.int('input_forget', 0) !== 0, 'input_forget'],
    [lengths !== '', 'sequence_lens'],
    [peepholes !== '', 'peepholes'],
    [
      [1, 2, 3].some((slot) => node.inputs[slot] && !context.isConstant(node, slot)),
      'weights that are no constants',
    ],
  ];
  const variant = variants.find(([present]) => present)?.[1];
  if (variant !== undefined) throw refuse(node, `${variant} is not supported`);
}
