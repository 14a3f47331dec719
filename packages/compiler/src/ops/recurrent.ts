import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type Dim, type TensorType } from '../ir/index.ts';
import { sigmoid } from './activations.ts';
import { asNumbers } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType } from './inference.ts';
import { multiplyMatrices } from './matrix-multiply.ts';
import { ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { CostContext, EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Y [S, D, B, H] and the last states [D, B, H]; with `layout` 1 the batch comes first. */
function inferRecurrent(context: InferContext): readonly (TensorType | undefined)[] {
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
function recurrentMacs({ inputs }: CostContext): number {
  const steps = elementCount(inputs[0]?.dims.slice(0, 2) ?? [0]);
  return steps * (elementCount(inputs[1]?.dims ?? [0]) + elementCount(inputs[2]?.dims ?? [0]));
}

interface Direction {
  readonly weight: Float32Array;
  readonly recurrence: Float32Array;
  readonly bias: Float64Array;
  readonly peephole: Float32Array | undefined;
  readonly reverse: boolean;
}

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly features: number;
  readonly hidden: number;
}

/** Rows of gate parameters of one direction, W transposed to [features, gates·hidden] for the products. */
function directionOf(context: EvaluateContext, index: number, gates: number, sizes: Sizes): Direction {
  const { hidden, features } = sizes;
  const rows = gates * hidden;
  const part = (input: NdArray, count: number): Float32Array =>
    (input.data as Float32Array).subarray(index * count, (index + 1) * count);
  const both = context.inputs[3] && part(context.inputs[3], 2 * rows);
  const bias = new Float64Array(rows);
  if (both) for (let i = 0; i < rows; i++) bias[i] = (both[i] as number) + (both[rows + i] as number);
  const kind = context.attributes.string('direction', 'forward');
  return {
    weight: transposed(part(context.input(1), rows * features), rows, features),
    recurrence: transposed(part(context.input(2), rows * hidden), rows, hidden),
    bias,
    peephole: context.inputs[7] && part(context.inputs[7], 3 * hidden),
    reverse: kind === 'reverse' || index === 1,
  };
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c] as number;
  return out;
}

const LSTM_GATES = 4;

/** LSTM with the default activations; gates in ONNX's order: input, output, forget, cell. */
function evaluateLstm(context: EvaluateContext): readonly NdArray[] {
  refuseVariants(context);
  const x = context.input(0);
  const [steps, batch, features] = x.dims as [number, number, number];
  const [directions, rows] = context.input(1).dims as [number, number];
  const sizes: Sizes = { steps, batch, features, hidden: rows / LSTM_GATES };
  const { hidden } = sizes;
  const y = new Float32Array(steps * directions * batch * hidden);
  const finals = [
    new Float32Array(directions * batch * hidden),
    new Float32Array(directions * batch * hidden),
  ] as const;
  for (let d = 0; d < directions; d++) {
    const width = batch * hidden;
    const start = (input: NdArray | undefined): Float64Array =>
      input ? Float64Array.from(asNumbers(input).slice(d * width, (d + 1) * width)) : new Float64Array(width);
    const direction = directionOf(context, d, LSTM_GATES, sizes);
    const [h, c] = [start(context.inputs[5]), start(context.inputs[6])];
    for (let step = 0; step < steps; step++) {
      const at = direction.reverse ? steps - 1 - step : step;
      lstmStep(
        direction,
        sizes,
        (x.data as Float32Array).subarray(at * batch * features, (at + 1) * batch * features),
        h,
        c,
      );
      y.set(h, (at * directions + d) * width);
    }
    finals[0].set(h, d * width);
    finals[1].set(c, d * width);
  }
  const last = [directions, batch, hidden];
  return [
    ndArray('float32', [steps, directions, batch, hidden], y),
    ndArray('float32', last, finals[0]),
    ndArray('float32', last, finals[1]),
  ];
}

/** Advances the states `h` and `c` [batch, hidden] in place. */
function lstmStep(
  direction: Direction,
  sizes: Sizes,
  x: Float32Array,
  h: Float64Array,
  c: Float64Array,
): void {
  const { batch, features, hidden } = sizes;
  const rows = LSTM_GATES * hidden;
  const fromInput = new Float64Array(batch * rows);
  const fromState = new Float64Array(batch * rows);
  multiplyMatrices(x, direction.weight, fromInput, { m: batch, k: features, n: rows });
  multiplyMatrices(h, direction.recurrence, fromState, { m: batch, k: hidden, n: rows });
  const peep = (gate: number, i: number): number => direction.peephole?.[gate * hidden + i] ?? 0;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < hidden; i++) {
      const gate = (g: number): number => {
        const at = g * hidden + i;
        return (
          (fromInput[b * rows + at] as number) +
          (fromState[b * rows + at] as number) +
          (direction.bias[at] as number)
        );
      };
      const cell = b * hidden + i;
      const old = c[cell] as number;
      const input = sigmoid(gate(0) + peep(0, i) * old);
      const forget = sigmoid(gate(2) + peep(2, i) * old);
      const next = forget * old + input * Math.tanh(gate(3));
      c[cell] = next;
      h[cell] = sigmoid(gate(1) + peep(1, i) * next) * Math.tanh(next);
    }
  }
}

function refuseVariants({ node, attributes, inputs }: EvaluateContext): void {
  const lengths = inputs[4] && toNumbers(inputs[4]);
  const steps = inputs[0]?.dims[0];
  const named = attributes.strings('activations') ?? [];
  const variants: readonly (readonly [boolean, string])[] = [
    [named.some((name, i) => name !== DEFAULT_ACTIVATIONS[i % 3]), 'its own activations'],
    [attributes.has('clip'), 'clip'],
    [attributes.int('layout', 0) === 1, 'layout 1'],
    [attributes.int('input_forget', 0) === 1, 'input_forget'],
    [lengths?.some((length) => length !== steps) === true, 'sequence_lens'],
  ];
  const variant = variants.find(([present]) => present)?.[1];
  if (variant === undefined) return;
  throw new CompilerError('unsupported', `${node.opType} with ${variant} cannot be evaluated.`, {
    at: { node: node.name || node.opType },
  });
}

const DEFAULT_ACTIVATIONS = ['Sigmoid', 'Tanh', 'Tanh'];

function recurrent(opType: string, outputs: number): OpDefinition {
  return {
    domain: '',
    opType,
    since: 7,
    inputs: [3, outputs === 3 ? 8 : 6],
    outputs: [0, outputs],
    infer: inferRecurrent,
    macs: recurrentMacs,
  };
}

/** Recurrent layers of ai.onnx; only the LSTM has a reference evaluation. */
export const recurrentOps: readonly OpDefinition[] = [
  { ...recurrent('LSTM', 3), evaluate: evaluateLstm },
  recurrent('GRU', 2),
  recurrent('RNN', 2),
];
