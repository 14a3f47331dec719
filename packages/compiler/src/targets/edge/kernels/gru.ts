import { f32x4, i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { emitFloatVector } from './float-vector.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { gateColumns } from './lstm.ts';
import { roundUp } from './vector-code.ts';
import { sigmoid, tanh } from './vector-math.ts';

export const GRU_GATES = 3;

export interface GruSpec {
  /** Units. */
  hidden: number;
  /** Length of the sequence. */
  steps: number;
  /** From the last step to the first. */
  reverse: boolean;
  /** Whether the reset gate takes the product of the state (ONNX's linear_before_reset 1, PyTorch) or the state itself. */
  resetsProduct: boolean;
  /** Sequences whose steps alternate in gates and y. */
  batch: number;
  /** Floats from row to row of y. */
  yStride: number;
}

const PARAMS = {
  /** x·W + b of every step: rows of gateColumns(GRU_GATES, hidden) floats. */
  gates: 'i32',
  /** packGates' layout of R. */
  weights: 'i32',
  /** Of the candidate's product of the state, padded to whole panels; unused where the reset gate takes the state. */
  bias: 'i32',
  /** The state before the first step. */
  h: 'i32',
  /** The state after every step. */
  y: 'i32',
  /** gruScratchBytes bytes. */
  scratch: 'i32',
} as const;

/** The sums of all gates, and the state that has been reset. */
export function gruScratchBytes({ hidden }: GruSpec): number {
  return 4 * (gateColumns(GRU_GATES, hidden) + roundUp(hidden, 8));
}

/**
 * A gated recurrent unit as ONNX defines it, with its default activations and one sequence: z = σ(h·Rz + x·Wz + b), r alike,
 * n = tanh(r ∘ (h·Rn + bRn) + x·Wn + bWn) or tanh((r ∘ h)·Rn + x·Wn + b), h' = (1 − z) ∘ n + z ∘ h; the sums in the order
 * of h, x·W + b last.
 */
export function emitGru(library: KernelLibrary, spec: GruSpec): FunctionRef<typeof PARAMS, undefined> {
  return library.once('gru', spec, (name) => {
    const { hidden, steps, reverse, resetsProduct, batch } = spec;
    const width = roundUp(hidden, 8);
    const panels = width / 8;
    const multiply = emitFloatVector(library, { k: hidden });
    const reset = resetsProduct ? undefined : emitReset(library, width);
    const advance = emitAdvance(library, width, resetsProduct);
    const gateStride = 4 * batch * gateColumns(GRU_GATES, hidden);
    const yStride = 4 * batch * spec.yStride;
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const sign = reverse ? -1 : 1;
      if (reverse) {
        f.increment(p.gates, gateStride * (steps - 1));
        f.increment(p.y, yStride * (steps - 1));
      }
      const candidate = {
        w: f.let(i32.add(p.weights, 4 * hidden * 2 * width)),
        y: f.let(i32.add(p.scratch, 4 * 2 * width)),
        panels,
      };
      f.whileBelow(f.local('i32'), i32.const(steps), 1, () => {
        f.call(multiply, { x: p.h, w: p.weights, y: p.scratch, extra: p.gates, panels: 2 * panels });
        if (reset) {
          const state = f.let(i32.add(p.scratch, 4 * 3 * width));
          f.call(reset, { sums: p.scratch, h: p.h, state });
          f.call(multiply, { ...candidate, x: state, extra: i32.add(p.gates, 4 * 2 * width) });
        } else f.call(multiply, { ...candidate, x: p.h, extra: p.bias });
        f.call(advance, { sums: p.scratch, gates: p.gates, h: p.h, y: p.y });
        f.set(p.h, p.y);
        f.increment(p.gates, sign * gateStride);
        f.increment(p.y, sign * yStride);
      });
    });
  });
}

const RESET_PARAMS = { sums: 'i32', h: 'i32', state: 'i32' } as const;

/** state = σ(r) ∘ h */
function emitReset(library: KernelLibrary, width: number): FunctionRef<typeof RESET_PARAMS, undefined> {
  return library.once('gru reset', { width }, (name) =>
    library.module.function(name, { params: RESET_PARAMS }, (f, p) => {
      f.whileBelow(f.local('i32'), i32.const(4 * width), 32, () => {
        const sums = [0, 16].map((half) => f.let(v128.load(p.sums, 4 * width + half)));
        sigmoid(library, f, sums).forEach((open, half) =>
          f.do(v128.store(p.state, f32x4.mul(open, v128.load(p.h, 16 * half)), 16 * half)),
        );
        for (const pointer of [p.sums, p.h, p.state]) f.increment(pointer, 32);
      });
    }),
  );
}

const ADVANCE_PARAMS = { sums: 'i32', gates: 'i32', h: 'i32', y: 'i32' } as const;

/** The state after one step. */
function emitAdvance(
  library: KernelLibrary,
  width: number,
  resetsProduct: boolean,
): FunctionRef<typeof ADVANCE_PARAMS, undefined> {
  return library.once('gru step', { width, resetsProduct }, (name) =>
    library.module.function(name, { params: ADVANCE_PARAMS }, (f, p) => {
      f.whileBelow(f.local('i32'), i32.const(4 * width), 32, () => {
        const part = (pointer: Local<'i32'>, gate: number): Local<'v128'>[] =>
          [0, 16].map((half) => f.let(v128.load(pointer, gate * 4 * width + half)));
        let sums = part(p.sums, 2);
        if (resetsProduct) {
          const added = part(p.gates, 2);
          const open = sigmoid(library, f, part(p.sums, 1));
          sums = sums.map((sum, half) => f.let(f32x4.add(f32x4.mul(open[half]!, sum), added[half]!)));
        }
        const candidates = tanh(library, f, sums);
        const keep = sigmoid(library, f, part(p.sums, 0));
        const one = f.let(library.splat(1));
        keep.forEach((kept, half) => {
          const taken = f32x4.mul(f32x4.sub(one, kept), candidates[half]!);
          const stays = f32x4.mul(kept, v128.load(p.h, 16 * half));
          f.do(v128.store(p.y, f32x4.add(taken, stays), 16 * half));
        });
        for (const pointer of [p.sums, p.gates, p.h, p.y]) f.increment(pointer, 32);
      });
    }),
  );
}
