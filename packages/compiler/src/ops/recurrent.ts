import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type Dim, type TensorType } from '../ir/index.ts';
import { sigmoid } from './activations.ts';
import { asNumbers, concatenate, transpose } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType } from './inference.ts';
import { multiplyMatrices } from './matrix-multiply.ts';
import { ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { CostContext, EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Y [S, D, B, H] and the last states [D, B, H]; with `layout` 1 the batch comes first. */
export function inferRecurrent(context: InferContext): readonly (TensorType | undefined)[] {
  const x = shapeOf(context, 0);
  const weight = shapeOf(context, 1);
  const recurrence = shapeOf(context, 2);
  const named = context.attributes.has('hidden_size') ? context.attributes.int('hidden_size') : undefined;
  const hidden: Dim = named ?? recurrence?.[2] ?? null;
  const directions: Dim = weight?.[0] ?? null;
  const batchFirst = context.attributes.int('layout', 0) === 1;
  const [sequence, batch]: Dim[] = batchFirst
    ? [x?.[1] ?? null, x?.[0] ?? null]
    : [x?.[0] ?? null, x?.[1] ?? null];
  const dtype = dtypeOf(context, 0);
  const y: Dim[] = batchFirst
    ? [batch ?? null, sequence ?? null, directions, hidden]
    : [sequence ?? null, directions, batch ?? null, hidden];
  const last: Dim[] = batchFirst ? [batch ?? null, directions, hidden] : [directions, batch ?? null, hidden];
  const state = tensorType(dtype, last);
  return [tensorType(dtype, y), state, state].slice(0, context.node.outputs.length);
}

/** One product with W per input element and one with R per state element, for each gate. */
export function recurrentMacs({ inputs }: CostContext): number {
  const steps = elementCount(inputs[0]?.dims.slice(0, 2) ?? [0]);
  return steps * (elementCount(inputs[1]?.dims ?? [0]) + elementCount(inputs[2]?.dims ?? [0]));
}

/** What one direction of a layer computes with: sums of all gates, in ONNX's order, [batch, gates·hidden]. */
interface Direction {
  /** x·W + Wb of one step, x [batch, features]. */
  readonly fromInput: (x: Float32Array) => Float64Array;
  /** h·R + Rb, h [batch, hidden]. */
  readonly fromState: (h: Float64Array) => Float64Array;
  /** Of an LSTM: [3·hidden] for input, output, forget. */
  readonly peephole: Float32Array | undefined;
  readonly reverse: boolean;
}

/** The products of a direction, from how its weights are stored. */
export type ProductsOf = (index: number, sizes: Sizes) => Pick<Direction, 'fromInput' | 'fromState'>;

export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly features: number;
  readonly hidden: number;
  /** gates·hidden. */
  readonly columns: number;
}

/** One kind of recurrent layer. */
export interface Cell {
  readonly gates: number;
  /** Default activations, which are the only ones. */
  readonly activations: readonly string[];
  /** Whether there is a cell state beside the hidden state. */
  readonly hasCell: boolean;
  /** Advances the states in place. */
  readonly step: (sums: GateSums, states: States) => void;
}

/** x·W + b and h·R + b of one step, [batch, gates·hidden]. */
interface GateSums {
  readonly fromInput: Float64Array;
  readonly fromState: Float64Array;
  readonly direction: Direction;
  readonly sizes: Sizes;
  readonly context: EvaluateContext;
}

/** [batch, hidden]. */
interface States {
  readonly h: Float64Array;
  readonly c: Float64Array;
}

/** A recurrent layer of ai.onnx or of its form; `columns` is gates·hidden. */
export function evaluateRecurrent(
  context: EvaluateContext,
  cell: Cell,
  columns: number,
  productsOf: ProductsOf,
): readonly NdArray[] {
  refuseVariants(context, cell);
  const isBatchFirst = context.attributes.int('layout', 0) === 1;
  const swap = (array: NdArray): NdArray => (isBatchFirst ? transpose(array, [1, 0, 2]) : array);
  const x = swap(context.input(0));
  const [steps, batch, features] = x.dims as [number, number, number];
  const [directions = 1] = context.input(1).dims;
  const sizes: Sizes = { steps, batch, features, hidden: columns / cell.gates, columns };
  const initial = [5, 6].map((slot) => context.inputs[slot] && asNumbers(swap(context.inputs[slot])));
  const runs = Array.from({ length: directions }, (_, index) => {
    const width = batch * sizes.hidden;
    const [h, c] = initial.map((values) =>
      values ? Float64Array.from(values.slice(index * width, (index + 1) * width)) : new Float64Array(width),
    ) as [Float64Array, Float64Array];
    const peepholes = context.inputs[7]?.data as Float32Array | undefined;
    const direction: Direction = {
      ...productsOf(index, sizes),
      peephole: peepholes?.subarray(3 * index * sizes.hidden, 3 * (index + 1) * sizes.hidden),
      reverse: index === 1 || context.attributes.string('direction', 'forward') === 'reverse',
    };
    return runDirection(context, cell, direction, sizes, x, { h, c });
  });
  const y = concatenate(
    runs.map((run) => run.y),
    1,
  );
  const finals = (pick: 'h' | 'c'): NdArray =>
    swap(
      concatenate(
        runs.map((run) => run[pick]),
        0,
      ),
    );
  return [isBatchFirst ? transpose(y, [2, 0, 1, 3]) : y, finals('h'), ...(cell.hasCell ? [finals('c')] : [])];
}

/** Y [steps, 1, batch, hidden] and the last states [1, batch, hidden] of one direction. */
function runDirection(
  context: EvaluateContext,
  cell: Cell,
  direction: Direction,
  sizes: Sizes,
  x: NdArray,
  states: States,
): { readonly y: NdArray; readonly h: NdArray; readonly c: NdArray } {
  const { steps, batch, features, hidden } = sizes;
  const y = new Float32Array(steps * batch * hidden);
  for (let step = 0; step < steps; step++) {
    const at = direction.reverse ? steps - 1 - step : step;
    const now = (x.data as Float32Array).subarray(at * batch * features, (at + 1) * batch * features);
    const fromInput = direction.fromInput(now);
    const fromState = direction.fromState(states.h);
    cell.step({ fromInput, fromState, direction, sizes, context }, states);
    y.set(states.h, at * batch * hidden);
  }
  const state = (values: Float64Array): NdArray =>
    ndArray('float32', [1, batch, hidden], Float32Array.from(values));
  return { y: ndArray('float32', [steps, 1, batch, hidden], y), h: state(states.h), c: state(states.c) };
}

/** W [directions, columns, features], R [directions, columns, hidden]. */
function floatProducts(context: EvaluateContext): ProductsOf {
  return (index, { batch, features, hidden, columns }) => {
    const part = (slot: number, depth: number): Float32Array => {
      const values = context.input(slot).data as Float32Array;
      return transposed(
        values.subarray(index * columns * depth, (index + 1) * columns * depth),
        columns,
        depth,
      );
    };
    const [weight, recurrence] = [part(1, features), part(2, hidden)];
    const [inputBias, stateBias] = biasesOf(context, index, columns);
    return {
      fromInput: (x) => affine(x, weight, inputBias, batch),
      fromState: (h) => affine(h, recurrence, stateBias, batch),
    };
  };
}

/** Biases of input and state, [columns] each. */
export function biasesOf(
  { inputs }: EvaluateContext,
  index: number,
  columns: number,
): [Float64Array, Float64Array] {
  const all = (inputs[3]?.data as Float32Array | undefined) ?? new Float32Array(2 * columns * (index + 1));
  const from = 2 * columns * index;
  return [
    Float64Array.from(all.subarray(from, from + columns)),
    Float64Array.from(all.subarray(from + columns, from + 2 * columns)),
  ];
}

/** x·matrix + bias for each of `rows` rows. */
function affine(
  x: Float32Array | Float64Array,
  matrix: Float32Array,
  bias: Float64Array,
  rows: number,
): Float64Array {
  const out = new Float64Array(rows * bias.length);
  multiplyMatrices(x, matrix, out, { m: rows, k: x.length / rows, n: bias.length });
  return out.map((sum, i) => sum + (bias[i % bias.length] as number));
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c] as number;
  return out;
}

/** Calls the function for each unit of each example with its place in the states and in the sums of a gate. */
function forEachUnit(
  { batch, hidden }: Sizes,
  gates: number,
  visit: (state: number, unit: number, at: (gate: number) => number) => void,
): void {
  for (let b = 0; b < batch; b++)
    for (let unit = 0; unit < hidden; unit++)
      visit(b * hidden + unit, unit, (gate) => (b * gates + gate) * hidden + unit);
}

/** Gates in ONNX's order: input, output, forget, cell. */
export const LSTM: Cell = {
  gates: 4,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  hasCell: true,
  step: ({ fromInput, fromState, direction: { peephole }, sizes }, { h, c }) => {
    forEachUnit(sizes, 4, (state, unit, at) => {
      const gate = (g: number): number => (fromInput[at(g)] as number) + (fromState[at(g)] as number);
      const peep = (g: number): number => peephole?.[g * sizes.hidden + unit] ?? 0;
      const old = c[state] as number;
      const input = sigmoid(gate(0) + peep(0) * old);
      const forget = sigmoid(gate(2) + peep(2) * old);
      const next = forget * old + input * Math.tanh(gate(3));
      c[state] = next;
      h[state] = sigmoid(gate(1) + peep(1) * next) * Math.tanh(next);
    });
  },
};

/** Gates: update, reset, hidden. */
const GRU: Cell = {
  gates: 3,
  activations: ['Sigmoid', 'Tanh'],
  hasCell: false,
  step: ({ fromInput, fromState, direction, sizes, context }, { h }) => {
    const isResetAfter = context.attributes.int('linear_before_reset', 0) !== 0;
    const reset = new Float64Array(h.length);
    forEachUnit(sizes, 3, (state, _, at) => {
      reset[state] = sigmoid((fromInput[at(1)] as number) + (fromState[at(1)] as number));
    });
    // The state goes through its gate before the product, or the product does after it.
    const gated = h.map((value, i) => value * (reset[i] as number));
    const products = isResetAfter ? fromState : direction.fromState(gated);
    forEachUnit(sizes, 3, (state, _, at) => {
      const update = sigmoid((fromInput[at(0)] as number) + (fromState[at(0)] as number));
      const recurrent = (isResetAfter ? (reset[state] as number) : 1) * (products[at(2)] as number);
      const candidate = Math.tanh((fromInput[at(2)] as number) + recurrent);
      h[state] = (1 - update) * candidate + update * (h[state] as number);
    });
  },
};

const RNN: Cell = {
  gates: 1,
  activations: ['Tanh'],
  hasCell: false,
  step: ({ fromInput, fromState }, { h }) => {
    fromInput.forEach((value, i) => (h[i] = Math.tanh(value + (fromState[i] as number))));
  },
};

function refuseVariants({ node, attributes, inputs }: EvaluateContext, { activations }: Cell): void {
  const lengths = inputs[4] && toNumbers(inputs[4]);
  const steps = inputs[0]?.dims[attributes.int('layout', 0)];
  const named = attributes.strings('activations') ?? [];
  const variants: readonly (readonly [boolean, string])[] = [
    [named.some((name, i) => name !== activations[i % activations.length]), 'its own activations'],
    [attributes.has('clip'), 'clip'],
    [attributes.int('input_forget', 0) === 1, 'input_forget'],
    [lengths?.some((length) => length !== steps) === true, 'sequence_lens'],
  ];
  const variant = variants.find(([present]) => present)?.[1];
  if (variant === undefined) return;
  throw new CompilerError('unsupported', `${node.opType} with ${variant} cannot be evaluated.`, {
    at: { node: node.name || node.opType },
  });
}

function recurrent(opType: string, cell: Cell): OpDefinition {
  return {
    domain: '',
    opType,
    since: 7,
    inputs: [3, cell.hasCell ? 8 : 6],
    outputs: [0, cell.hasCell ? 3 : 2],
    infer: inferRecurrent,
    macs: recurrentMacs,
    evaluate: (context) => {
      const columns = context.input(1).dims[1] as number;
      return evaluateRecurrent(context, cell, columns, floatProducts(context));
    },
  };
}

/** Recurrent layers of ai.onnx, with their default activations. */
export const recurrentOps: readonly OpDefinition[] = [
  recurrent('LSTM', LSTM),
  recurrent('GRU', GRU),
  recurrent('RNN', RNN),
];
