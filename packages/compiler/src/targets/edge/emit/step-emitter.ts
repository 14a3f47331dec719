import type { FunctionBuilder } from '../../../wasm/index.ts';
import type { Step } from '../program/program.ts';
import type { StepScope } from './step-scope.ts';

/** The steps of one kind. */
export type StepOf<O extends Step['op']> = Extract<Step, { op: O }>;

/** How far a program's inputs can reach. */
export interface StepLimits {
  /** Most rows that are computed in one call. */
  readonly rows: number;
  /** Most tokens. */
  readonly sequence: number;
}

/** How steps of one kind become code. */
export interface StepEmitter<S extends Step> {
  /** Emits the call that computes rows [m0, m1). */
  readonly emit: (f: FunctionBuilder, step: S, scope: StepScope) => void;
  /** Scratch that its kernels use. Default: none. */
  readonly scratchBytes?: (step: S, limits: StepLimits) => number;
}

/** Emitters by kind. */
export type StepEmitters<O extends Step['op']> = { readonly [K in O]: StepEmitter<StepOf<K>> };
