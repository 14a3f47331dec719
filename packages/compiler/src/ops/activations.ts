import { erf } from './erf.ts';

// Scalar functions in double precision; callers round to the element type.

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** x·Φ(x) with the exact normal distribution. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

/** The tanh approximation of GELU (Hendrycks and Gimpel, 2016). */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}

export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** x·tanh(softplus(x)) (Misra, 2019). */
export function mish(x: number): number {
  return x * Math.tanh(softplus(x));
}

/** ONNX's HardSigmoid. */
export function hardSigmoid(x: number, alpha: number, beta: number): number {
  return Math.max(0, Math.min(1, alpha * x + beta));
}
