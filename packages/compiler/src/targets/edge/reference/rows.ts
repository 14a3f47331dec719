import type { BinaryOperator } from '../kernels/elementwise.ts';
import type { Activation, NamedActivation } from '../kernels/finish-panel.ts';
import { LOG2_E } from '../kernels/math-constants.ts';
import type { ActivationQuantization } from '../kernels/quantize-row.ts';
import {
  add,
  clamp,
  cos,
  div,
  elu,
  erf,
  exp,
  exp2,
  gelu,
  geluTanh,
  hardSwish,
  laneSum,
  log,
  mish,
  mul,
  roundHalfEven,
  sigmoid,
  silu,
  sin,
  softplus,
  softsign,
  sub,
  tanh,
} from './math.ts';

// Plain loops over dense rows, bit-identical to the kernels of the same name.

export interface QuantizedRows {
  /** [rows][k] unsigned bytes. */
  values: Uint8Array;
  scale: Float32Array;
  zero: Int32Array;
}

/** docs/architecture.md section 5. */
export function quantizeRows(
  x: Float32Array,
  rows: number,
  k: number,
  quantization: ActivationQuantization,
): QuantizedRows {
  const values = new Uint8Array(rows * k);
  const scale = new Float32Array(rows);
  const zero = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const floats = x.subarray(row * k, (row + 1) * k);
    const [s, z] =
      quantization.kind === 'static'
        ? [Math.fround(quantization.scale), quantization.zeroPoint]
        : dynamicParameters(floats);
    const inverse = div(1, s);
    scale[row] = s;
    zero[row] = z;
    for (let column = 0; column < k; column++) {
      // Clamping before rounding gives the same, since the limits are integers.
      const scaled = clamp(mul(floats[column] as number, inverse), -z, 255 - z);
      values[row * k + column] = roundHalfEven(scaled) + z;
    }
  }
  return { values, scale, zero };
}

function dynamicParameters(row: Float32Array): [scale: number, zero: number] {
  const low = row.reduce((lowest, value) => Math.min(lowest, value), 0);
  const high = row.reduce((highest, value) => Math.max(highest, value), 0);
  const step = div(sub(high, low), 255);
  const scale = step === 0 ? 1 : step;
  return [scale, Math.min(255, Math.max(0, roundHalfEven(mul(-low, div(1, scale)))))];
}

const NAMED: Readonly<Record<NamedActivation, (x: number) => number>> = {
  none: (x) => x,
  relu: (x) => (x > 0 ? x : 0),
  gelu,
  gelu_tanh: geluTanh,
  tanh,
  sigmoid,
  silu,
  mish,
  hard_swish: hardSwish,
  softplus,
  softsign,
  log,
  sqrt: (x) => Math.fround(Math.sqrt(x)),
  exp,
  sin,
  cos,
  erf,
  abs: Math.abs,
  neg: (x) => -x,
  reciprocal: (x) => div(1, x),
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x) => (Math.abs(x) < 2 ** 22 ? Math.sign(x) * Math.abs(roundHalfEven(x)) : x),
};

export function activate(x: Float32Array, activation: Activation): Float32Array {
  if (typeof activation === 'string') return x.map((value) => NAMED[activation](value));
  switch (activation.kind) {
    case 'clip':
      return x.map((value) => clamp(value, activation.low, activation.high));
    case 'leaky_relu':
      return x.map((value) => (value < 0 ? mul(value, Math.fround(activation.slope)) : value));
    case 'hard_sigmoid': {
      const [slope, offset] = [Math.fround(activation.slope), Math.fround(activation.offset)];
      return x.map((value) => clamp(add(mul(value, slope), offset), 0, 1));
    }
    case 'elu':
      return x.map((value) => elu(value, activation.amplitude, activation.scale, activation.rate));
  }
}

export interface Int8Weights {
  k: number;
  n: number;
  /** [k][n] */
  values: Int8Array;
  scale: Float32Array;
  bias: Float32Array;
}

/** y = act(((float(Σ x·w − zero·Σ w)·rowScale)·weightScale) + bias) [+ residual]. */
export function linearInt8(
  x: QuantizedRows,
  weights: Int8Weights,
  activation: Activation,
  residual?: Float32Array,
): Float32Array {
  const { k, n, values, scale, bias } = weights;
  const rows = x.scale.length;
  const y = new Float32Array(rows * n);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const activationValue = (x.values[row * k + i] as number) - (x.zero[row] as number);
        sum += activationValue * (values[i * n + column] as number);
      }
      const scaled = mul(mul(Math.fround(sum), x.scale[row] as number), scale[column] as number);
      y[row * n + column] = add(scaled, bias[column] as number);
    }
  }
  return addResidual(activate(y, activation), residual);
}

export interface FloatWeights {
  k: number;
  n: number;
  /** [k][n] */
  values: Float32Array;
  bias: Float32Array;
}

/** y = act(Σ x·w + bias) [+ residual], the sum in the order of k. */
export function linearF32(
  x: Float32Array,
  weights: FloatWeights,
  activation: Activation,
  residual?: Float32Array,
): Float32Array {
  const { k, n, values, bias } = weights;
  const rows = x.length / k;
  const y = new Float32Array(rows * n);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        sum = add(sum, mul(x[row * k + i] as number, values[i * n + column] as number));
      }
      y[row * n + column] = add(sum, bias[column] as number);
    }
  }
  return addResidual(activate(y, activation), residual);
}

function addResidual(y: Float32Array, residual: Float32Array | undefined): Float32Array {
  return residual ? addRows(y, residual) : y;
}

export function addRows(a: Float32Array, b: Float32Array): Float32Array {
  return binaryRows(a, b, 'add');
}

const BINARIES: Readonly<Record<BinaryOperator, (a: number, b: number) => number>> = {
  add,
  sub,
  mul,
  div,
  min: Math.min,
  max: Math.max,
  prelu: (a, b) => (a < 0 ? mul(a, b) : a),
};

/** a ∘ b; a single row of b is repeated. */
export function binaryRows(a: Float32Array, b: Float32Array, operator: BinaryOperator): Float32Array {
  return a.map((value, index) => BINARIES[operator](value, b[index % b.length] as number));
}

export interface Normalization {
  n: number;
  epsilon: number;
  gamma: Float32Array;
  beta: Float32Array;
}

/** LayerNorm(x [+ skip]) row by row. */
export function layerNorm(
  x: Float32Array,
  { n, epsilon, gamma, beta }: Normalization,
  skip?: Float32Array,
): Float32Array {
  const input = skip ? addRows(x, skip) : x;
  const y = new Float32Array(input.length);
  for (let start = 0; start < input.length; start += n) {
    const at = (column: number): number => input[start + column] as number;
    const mean = div(laneSum(n, at), n);
    const variance = div(
      laneSum(n, (column) => mul(sub(at(column), mean), sub(at(column), mean))),
      n,
    );
    const factor = div(1, Math.fround(Math.sqrt(add(variance, Math.fround(epsilon)))));
    for (let column = 0; column < n; column++) {
      const normalized = mul(sub(at(column), mean), factor);
      y[start + column] = add(mul(normalized, gamma[column] as number), beta[column] as number);
    }
  }
  return y;
}

export function softmaxRows(x: Float32Array, n: number, isLog = false): Float32Array {
  const y = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += n) {
    const row = x.subarray(start, start + n);
    const maximum = row.reduce((highest, value) => Math.max(highest, value), -Infinity);
    const weights = row.map((value) => {
      const scaled = mul(sub(value, maximum), Math.fround(LOG2_E));
      return exp2(scaled > -127 ? scaled : -127);
    });
    const sum = laneSum(n, (column) => weights[column] as number);
    for (let column = 0; column < n; column++) {
      y[start + column] = isLog
        ? sub(sub(row[column] as number, maximum), log(sum))
        : mul(weights[column] as number, div(1, sum));
    }
  }
  return y;
}
