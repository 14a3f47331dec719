import { f32x4, i32x4, type Expr, type FunctionBuilder, type Local } from '../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  ERF_DENOMINATOR,
  ERF_LIMIT,
  ERF_NUMERATOR,
  EXP2_COEFFICIENTS,
  LOG2_E,
  ROUND_TO_INTEGER,
} from './math-constants.ts';

// Four lanes at a time, multiply and add only, every operation rounded to float32, so that the two rungs, the plain
// reference (reference/math.ts, same names) and every CPU agree to the bit.

type V = Expr<'v128'>;

/** c[0] + x·(c[1] + x·(c[2] + …)). */
function horner(library: KernelLibrary, x: V, coefficients: readonly number[]): V {
  return coefficients
    .slice(0, -1)
    .reduceRight<V>(
      (sum, coefficient) => f32x4.add(f32x4.mul(sum, x), library.splat(coefficient)),
      library.splat(coefficients.at(-1) as number),
    );
}

/**
 * 2^x for x in [-127, 127]; exactly 0 at -127, exactly 1 at 0. Within it the relative error is at most 1.7e-7 as long
 * as the result is a normal number (x ≥ -126).
 */
export function exp2(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const argument = f.let(x);
  // Adding 1.5·2^23 leaves round(x) in the low bits; they become the exponent by a shift.
  const shifted = f.let(f32x4.add(argument, library.splat(ROUND_TO_INTEGER)));
  const fraction = f.let(f32x4.sub(argument, f32x4.sub(shifted, library.splat(ROUND_TO_INTEGER))));
  const mantissa = horner(library, fraction, EXP2_COEFFICIENTS);
  return i32x4.add(mantissa, i32x4.shl(shifted, 23));
}

/** min(high, max(low, x)). */
export function clamp(library: KernelLibrary, x: V, low: number, high: number): V {
  return f32x4.pmin(library.splat(high), f32x4.pmax(library.splat(low), x));
}

/** 1 / (1 + 2^(-x·log2 e)), the exponent clamped to ±126. Absolute error at most 1.3e-7. */
export function sigmoid(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const exponent = clamp(library, f32x4.mul(x, library.splat(-LOG2_E)), -126, 126);
  const one = f.let(library.splat(1));
  return f32x4.div(one, f32x4.add(one, exp2(library, f, exponent)));
}

/** (1 − e) / (1 + e) with e = 2^(-2x·log2 e), clamped. Absolute error at most 2e-7. */
export function tanh(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const exponent = clamp(library, f32x4.mul(x, library.splat(-2 * LOG2_E)), -126, 126);
  const one = f.let(library.splat(1));
  const e = f.let(exp2(library, f, exponent));
  return f32x4.div(f32x4.sub(one, e), f32x4.add(one, e));
}

/** x · sigmoid(x). */
export function silu(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const argument = f.let(x);
  return f32x4.mul(argument, sigmoid(library, f, argument));
}

/**
 * GELU with tanh: 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), computed as the equal x · sigmoid(2·√(2/π)·(…)).
 */
export function geluTanh(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const argument = f.let(x);
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const square = f32x4.mul(argument, argument);
  const factor = f32x4.add(f32x4.mul(square, library.splat(scale * 0.044715)), library.splat(scale));
  return f32x4.mul(argument, sigmoid(library, f, f32x4.mul(argument, factor)));
}

/**
 * GELU with erf: 0.5·x·(1 + erf(x/√2)). Absolute error at most 1.5e-6 (see math-constants.ts).
 */
export function gelu(library: KernelLibrary, f: FunctionBuilder, x: V): V {
  const argument = f.let(x);
  const z = f.let(clamp(library, f32x4.mul(argument, library.splat(Math.SQRT1_2)), -ERF_LIMIT, ERF_LIMIT));
  const square: Local<'v128'> = f.let(f32x4.mul(z, z));
  const numerator = f32x4.mul(z, horner(library, square, ERF_NUMERATOR));
  const erf = f32x4.div(numerator, horner(library, square, ERF_DENOMINATOR));
  const half = f.let(f32x4.mul(argument, library.splat(0.5)));
  return f32x4.add(f32x4.mul(half, erf), half);
}
