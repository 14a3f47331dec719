import { f32x4, i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { emitFloatVector } from './float-vector.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitLinearInt8, linearInt8ScratchBytes } from './linear-int8.ts';
import { packFloatWeights } from './pack-weights.ts';
import type { PairForm } from './pair-flags.ts';
import { quantizedRowBytes } from './quantize-row.ts';
import { emitQuantizeRows } from './quantize-rows.ts';
import { roundUp } from './vector-code.ts';
import { sigmoid, tanh } from './vector-math.ts';

export const LSTM_GATES = 4;

export interface LstmSpec {
  /** Units. */
  hidden: number;
  /** Length of the sequence. */
  steps: number;
  /** From the last step to the first. */
  reverse: boolean;
  /** Sequences whose steps alternate in gates and y. */
  batch: number;
  /** Floats from row to row of y. */
  yStride: number;
  /** Of R where it is int8; the state is then quantized at every step. */
  pairs?: PairForm;
}

const PARAMS = {
  /** x·W + b of every step: rows of gateColumns(LSTM_GATES, hidden) floats. */
  gates: 'i32',
  /** packGates' layout of R, or that of linearInt8's weights with the columns of packGates. */
  weights: 'i32',
  /** Of int8 weights, as linearInt8's; else anything. */
  weightScale: 'i32',
  colsum: 'i32',
  pairFlags: 'i32',
  /** The states before the first step. */
  h: 'i32',
  c: 'i32',
  /** The hidden state after every step. */
  y: 'i32',
  /** The cell state after the last step. */
  cell: 'i32',
  /** lstmScratchBytes bytes. */
  scratch: 'i32',
} as const;

/** Columns of the sums of all gates: each gate's are padded to whole panels. */
export function gateColumns(gates: number, hidden: number): number {
  return gates * roundUp(hidden, 8);
}

export function lstmScratchBytes({ hidden, pairs }: LstmSpec): number {
  const sums = 4 * gateColumns(LSTM_GATES, hidden);
  return pairs === undefined
    ? sums
    : sums + ROW_BYTES + quantizedRowBytes(hidden) + linearInt8ScratchBytes(hidden, 1);
}

/** Scale and zero point of the quantized state. */
const ROW_BYTES = 32;

/** ONNX's [gates·hidden][k] as panels over k × gateColumns. */
export function packGates(weights: Float32Array, gates: number, hidden: number, k: number): Float32Array {
  const columns = gateColumns(gates, hidden);
  const matrix = new Float32Array(k * columns);
  for (let row = 0; row < gates * hidden; row++) {
    const column = Math.floor(row / hidden) * roundUp(hidden, 8) + (row % hidden);
    for (let i = 0; i < k; i++) matrix[i * columns + column] = weights[row * k + i]!;
  }
  return packFloatWeights(matrix, k, columns);
}

/**
 * Long short-term memory as ONNX defines it, with its default activations and one sequence:
 * c' = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c'), the sums of the gates (h·R in the order of h) + (x·W + b); of int8 weights what linearInt8
 * gives of a dynamically quantized row, with x·W + b as the bias.
 */
export function emitLstm(library: KernelLibrary, spec: LstmSpec): FunctionRef<typeof PARAMS, undefined> {
  return library.once('lstm', spec, (name) => {
    const { hidden, steps, reverse, batch } = spec;
    const gateStride = 4 * batch * gateColumns(LSTM_GATES, hidden);
    const yStride = 4 * batch * spec.yStride;
    const multiply =
      spec.pairs === undefined
        ? emitFloatProduct(library, hidden)
        : emitInt8Product(library, hidden, spec.pairs);
    const advance = emitAdvance(library, hidden);
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const sign = reverse ? -1 : 1;
      if (reverse) {
        f.increment(p.gates, gateStride * (steps - 1));
        f.increment(p.y, yStride * (steps - 1));
      }
      f.whileBelow(f.local('i32'), i32.const(steps), 1, () => {
        const { weights, weightScale, colsum, pairFlags, scratch } = p;
        f.call(multiply, { h: p.h, gates: p.gates, weights, weightScale, colsum, pairFlags, scratch });
        f.call(advance, { gates: p.scratch, c: p.c, cell: p.cell, y: p.y });
        f.set(p.h, p.y);
        f.set(p.c, p.cell);
        f.increment(p.gates, sign * gateStride);
        f.increment(p.y, sign * yStride);
      });
    });
  });
}

const PRODUCT_PARAMS = {
  h: 'i32',
  gates: 'i32',
  weights: 'i32',
  weightScale: 'i32',
  colsum: 'i32',
  pairFlags: 'i32',
  scratch: 'i32',
} as const;
type Product = FunctionRef<typeof PRODUCT_PARAMS, undefined>;

/** The sums of all gates, to the start of the scratch. */
function emitFloatProduct(library: KernelLibrary, hidden: number): Product {
  return library.once('lstm product f32', { hidden }, (name) => {
    const multiply = emitFloatVector(library, { k: hidden });
    return library.module.function(name, { params: PRODUCT_PARAMS }, (f, p) => {
      const panels = gateColumns(LSTM_GATES, hidden) / 8;
      f.call(multiply, { x: p.h, w: p.weights, y: p.scratch, extra: p.gates, panels });
    });
  });
}

function emitInt8Product(library: KernelLibrary, hidden: number, pairs: PairForm): Product {
  return library.once('lstm product int8', { hidden, pairs }, (name) => {
    const columns = gateColumns(LSTM_GATES, hidden);
    const quantize = emitQuantizeRows(library, {
      k: hidden,
      xStride: roundUp(hidden, 8),
      quantization: { kind: 'dynamic' },
    });
    const spec = { k: hidden, n: columns, pairs, activation: 'none', yStride: columns } as const;
    const multiply = emitLinearInt8(library, spec);
    return library.module.function(name, { params: PRODUCT_PARAMS }, (f, p) => {
      const rowScale = f.let(i32.add(p.scratch, 4 * columns));
      const rowZero = f.let(i32.add(rowScale, ROW_BYTES / 2));
      const bytes = f.let(i32.add(rowScale, ROW_BYTES));
      f.call(quantize, { x: p.h, bytes, rowScale, rowZero, m0: 0, m1: 1 });
      f.call(multiply, {
        x: bytes,
        rowScale,
        rowZero,
        weights: p.weights,
        weightScale: p.weightScale,
        colsum: p.colsum,
        bias: p.gates,
        pairFlags: p.pairFlags,
        residual: 0,
        y: p.scratch,
        scratch: i32.add(bytes, quantizedRowBytes(hidden)),
        m0: 0,
        m1: 1,
      });
    });
  });
}

const ADVANCE_PARAMS = { gates: 'i32', c: 'i32', cell: 'i32', y: 'i32' } as const;

/** The states after one step; cell may be c. */
function emitAdvance(library: KernelLibrary, hidden: number): FunctionRef<typeof ADVANCE_PARAMS, undefined> {
  const gateBytes = 4 * roundUp(hidden, 8);
  return library.once('lstm step', { hidden }, (name) =>
    library.module.function(name, { params: ADVANCE_PARAMS }, (f, p) => {
      f.whileBelow(f.local('i32'), i32.const(gateBytes), 32, () => {
        const gate = (index: number): Local<'v128'>[] =>
          [0, 16].map((half) => f.let(v128.load(p.gates, index * gateBytes + half)));
        const input = sigmoid(library, f, gate(0));
        const candidate = tanh(library, f, gate(3));
        const added = input.map((i, half) => f.let(f32x4.mul(i, candidate[half]!)));
        const forget = sigmoid(library, f, gate(2));
        const cell = forget.map((keep, half) =>
          f.let(f32x4.add(f32x4.mul(keep, v128.load(p.c, 16 * half)), added[half]!)),
        );
        cell.forEach((value, half) => f.do(v128.store(p.cell, value, 16 * half)));
        const squashed = tanh(library, f, cell);
        const output = sigmoid(library, f, gate(1));
        output.forEach((open, half) => f.do(v128.store(p.y, f32x4.mul(open, squashed[half]!), 16 * half)));
        for (const pointer of [p.gates, p.c, p.cell, p.y]) f.increment(pointer, 32);
      });
    }),
  );
}
