import { f32x4, i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { emitFloatVector } from './float-vector.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { packFloatWeights } from './pack-weights.ts';
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
  /** Floats from step to step of y. */
  yStride: number;
}

const PARAMS = {
  /** x·W + b of every step: rows of lstmGateColumns floats. */
  gates: 'i32',
  /** packLstmGates' layout of R. */
  weights: 'i32',
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
export function lstmGateColumns(hidden: number): number {
  return LSTM_GATES * roundUp(hidden, 8);
}

export function lstmScratchBytes({ hidden }: LstmSpec): number {
  return 4 * lstmGateColumns(hidden);
}

/** ONNX's [4·hidden][k] (gates i, o, f, c) as panels over k × lstmGateColumns. */
export function packLstmGates(weights: Float32Array, hidden: number, k: number): Float32Array {
  const columns = lstmGateColumns(hidden);
  const matrix = new Float32Array(k * columns);
  for (let row = 0; row < LSTM_GATES * hidden; row++) {
    const column = Math.floor(row / hidden) * roundUp(hidden, 8) + (row % hidden);
    for (let i = 0; i < k; i++) matrix[i * columns + column] = weights[row * k + i]!;
  }
  return packFloatWeights(matrix, k, columns);
}

/**
 * Long short-term memory as ONNX defines it, with its default activations:
 * c' = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c'), the sums of the gates (h·R in the order of h) + (x·W + b).
 */
export function emitLstm(library: KernelLibrary, spec: LstmSpec): FunctionRef<typeof PARAMS, undefined> {
  return library.once('lstm', spec, (name) => {
    const { hidden, steps, reverse, yStride } = spec;
    const columns = lstmGateColumns(hidden);
    const multiply = emitFloatVector(library, { k: hidden });
    const advance = emitAdvance(library, hidden);
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const sign = reverse ? -1 : 1;
      if (reverse) {
        f.increment(p.gates, 4 * columns * (steps - 1));
        f.increment(p.y, 4 * yStride * (steps - 1));
      }
      f.whileBelow(f.local('i32'), i32.const(steps), 1, () => {
        f.call(multiply, {
          x: p.h,
          w: p.weights,
          y: p.scratch,
          extra: p.gates,
          panels: columns / 8,
        });
        f.call(advance, { gates: p.scratch, c: p.c, cell: p.cell, y: p.y });
        f.set(p.h, p.y);
        f.set(p.c, p.cell);
        f.increment(p.gates, sign * 4 * columns);
        f.increment(p.y, sign * 4 * yStride);
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
