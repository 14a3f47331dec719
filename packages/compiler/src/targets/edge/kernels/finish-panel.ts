import { f32x4, v128, type Expr, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  clip,
  elu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  relu,
  softplus,
  softsign,
} from './vector-activations.ts';
import {
  erf,
  exp,
  gelu,
  geluTanh,
  log,
  mapEach,
  sigmoid,
  silu,
  tanh,
  type VectorFunction,
} from './vector-math.ts';
import { cos, sin } from './vector-trigonometry.ts';

/** What a layer may apply to its sums. */
export type Activation = NamedActivation | ActivationWithLimits | ActivationWithSlope | HardSigmoid | Elu;
export type NamedActivation =
  | 'none'
  | 'relu'
  | 'gelu'
  | 'gelu_tanh'
  | 'tanh'
  | 'sigmoid'
  | 'silu'
  | 'mish'
  | 'hard_swish'
  | 'softplus'
  | 'softsign'
  | 'exp'
  | 'sqrt'
  | 'log'
  | 'sin'
  | 'cos'
  | 'erf'
  | 'abs'
  | 'neg'
  | 'reciprocal'
  | 'floor'
  | 'ceil'
  | 'round';

/** min(high, max(low, x)) */
export interface ActivationWithLimits {
  readonly kind: 'clip';
  readonly low: number;
  readonly high: number;
}

/** x·slope below 0. */
export interface ActivationWithSlope {
  readonly kind: 'leaky_relu';
  readonly slope: number;
}

/** max(0, min(1, x·slope + offset)) */
export interface HardSigmoid {
  readonly kind: 'hard_sigmoid';
  readonly slope: number;
  readonly offset: number;
}

/** x·scale; below 0 amplitude·(e^(x·rate) − 1). */
export interface Elu {
  readonly kind: 'elu';
  readonly amplitude: number;
  readonly scale: number;
  readonly rate: number;
}

/** What is one instruction. */
const instruction =
  (code: (x: Expr<'v128'>) => Expr<'v128'>): VectorFunction =>
  (_library, f, xs) =>
    mapEach(f, xs, code);

const NAMED: Readonly<Record<Exclude<NamedActivation, 'none'>, VectorFunction>> = {
  relu,
  gelu,
  gelu_tanh: geluTanh,
  tanh,
  sigmoid,
  silu,
  mish,
  hard_swish: hardSwish,
  softplus,
  softsign,
  exp,
  log,
  sin,
  cos,
  erf,
  sqrt: instruction(f32x4.sqrt),
  abs: instruction(f32x4.abs),
  neg: instruction(f32x4.neg),
  reciprocal: (library, f, xs) => mapEach(f, xs, (x) => f32x4.div(library.splat(1), x)),
  floor: instruction(f32x4.floor),
  ceil: instruction(f32x4.ceil),
  round: instruction(f32x4.nearest),
};

/** The code of an activation. */
export function activationCode(activation: Exclude<Activation, 'none'>): VectorFunction {
  if (typeof activation === 'string') return NAMED[activation];
  switch (activation.kind) {
    case 'clip':
      return clip(activation.low, activation.high);
    case 'leaky_relu':
      return leakyRelu(activation.slope);
    case 'hard_sigmoid':
      return hardSigmoid(activation.slope, activation.offset);
    case 'elu':
      return elu(activation.amplitude, activation.scale, activation.rate);
  }
}

export interface FinishPanelSpec {
  activation: Activation;
  residual: boolean;
}

const PARAMS = { y: 'i32', yStride: 'i32', residual: 'i32', residualStride: 'i32', rows: 'i32' } as const;

/**
 * y = act(y) [+ residual] over one panel (eight columns) of `rows` rows, strides in bytes. It runs right after the
 * panel's products, while its sums are in the first-level cache; kept apart from the products' loops so that its
 * constants and temporaries cost them no register. Undefined when there is nothing to do.
 */
export function emitFinishPanel(
  library: KernelLibrary,
  spec: FinishPanelSpec,
): FunctionRef<typeof PARAMS, undefined> | undefined {
  if (spec.activation === 'none' && !spec.residual) return undefined;
  return library.once('finish panel', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      f.whileBelow(f.local('i32'), p.rows, 1, () => {
        const sums = [0, 16].map((offset) => f.let(v128.load(p.y, offset)));
        const values = spec.activation === 'none' ? sums : activationCode(spec.activation)(library, f, sums);
        values.forEach((value, half) => {
          const result = spec.residual ? f32x4.add(value, v128.load(p.residual, 16 * half)) : value;
          f.do(v128.store(p.y, result, 16 * half));
        });
        f.increment(p.y, p.yStride);
        if (spec.residual) f.increment(p.residual, p.residualStride);
      });
    }),
  );
}
