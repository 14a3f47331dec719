import { f32x4, i32x4, v128, type Expr, type FunctionBuilder, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import {
  ERF_DENOMINATOR,
  ERF_LIMIT,
  ERF_NUMERATOR,
  EXP2_COEFFICIENTS,
  LN2_LOWER,
  LN2_UPPER,
  LOG2_E,
  LOG_COEFFICIENTS,
  ROUND_TO_INTEGER,
  SMALLEST_NORMAL,
  SQRT_HALF_BITS,
} from './math-constants.ts';

// Multiply and add only, every operation rounded to float32, so that the two rungs, the plain reference
// (reference/math.ts, same names) and every CPU agree to the bit. Functions take several vectors at once: each
// constant is then read once for all of them, and their chains of operations overlap.

export type Vector = Local<'v128'>;

/** The code of a function for some vectors; the results are new locals. */
export type VectorFunction = (
  library: KernelLibrary,
  f: FunctionBuilder,
  xs: readonly Vector[],
) => readonly Vector[];

export function mapEach(
  f: FunctionBuilder,
  xs: readonly Vector[],
  code: (x: Vector) => Expr<'v128'>,
): Vector[] {
  return xs.map((x) => f.let(code(x)));
}

/** A constant for the next few operations. */
export function shared(library: KernelLibrary, f: FunctionBuilder, value: number): Vector {
  return f.let(library.splat(value));
}

/** c[0] + x·(c[1] + x·(c[2] + …)). */
export function horner(
  library: KernelLibrary,
  f: FunctionBuilder,
  xs: readonly Vector[],
  coefficients: readonly number[],
): Vector[] {
  const constant = shared(library, f, coefficients.at(-1) as number);
  const sums = xs.map(() => f.let(constant));
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    f.set(constant, library.splat(coefficient));
    sums.forEach((sum, index) => f.set(sum, f32x4.add(f32x4.mul(sum, xs[index] as Vector), constant)));
  }
  return sums;
}

/**
 * Σ c[i]·x^i as even(x²) + x·odd(x²): two chains of half the length. How many vectors are in flight, and with it the
 * speed, hangs on the length of the chain.
 */
function polynomial(
  library: KernelLibrary,
  f: FunctionBuilder,
  xs: readonly Vector[],
  squares: readonly Vector[],
  coefficients: readonly number[],
): Vector[] {
  const part = (parity: number): Vector[] =>
    horner(
      library,
      f,
      squares,
      coefficients.filter((_, index) => index % 2 === parity),
    );
  const odd = part(1);
  const even = part(0);
  return xs.map((x, index) => f.let(f32x4.add(even[index] as Vector, f32x4.mul(x, odd[index] as Vector))));
}

/**
 * 2^x for x in [-127, 127]; exactly 0 at -127, exactly 1 at 0. Relative error at most 2.4e-7 as long as the result is
 * a normal number (x ≥ -126).
 */
export const exp2: VectorFunction = (library, f, xs) => {
  // Adding 1.5·2^23 leaves round(x) in the low bits; they become the exponent by a shift.
  const round = shared(library, f, ROUND_TO_INTEGER);
  const shifted = mapEach(f, xs, (x) => f32x4.add(x, round));
  const fractions = xs.map((x, index) => f.let(f32x4.sub(x, f32x4.sub(shifted[index] as Vector, round))));
  const squares = mapEach(f, fractions, (x) => f32x4.mul(x, x));
  const mantissas = polynomial(library, f, fractions, squares, EXP2_COEFFICIENTS);
  return mantissas.map((mantissa, index) =>
    f.let(i32x4.add(mantissa, i32x4.shl(shifted[index] as Vector, 23))),
  );
};

/** e^x as 2^(x·log2 e), the exponent clamped to ±126. Relative error at most 1e-7·(2.4 + |x|). */
export const exp: VectorFunction = (library, f, xs) =>
  exp2(library, f, scaleAndClamp(library, f, xs, LOG2_E, EXPONENT_LIMIT));

/** min(high, max(low, x·factor)). */
export function scaleAndClamp(
  library: KernelLibrary,
  f: FunctionBuilder,
  xs: readonly Vector[],
  factor: number,
  limit: number,
): Vector[] {
  const [scale, low, high] = [factor, -limit, limit].map((value) => shared(library, f, value)) as [
    Vector,
    Vector,
    Vector,
  ];
  return mapEach(f, xs, (x) => f32x4.pmin(high, f32x4.pmax(low, f32x4.mul(x, scale))));
}

/** Beyond, 2^x leaves the normal numbers. */
export const EXPONENT_LIMIT = 126;

/**
 * ln x, absolute error at most 1e-7·max(1, |ln x|). Numbers below the smallest normal one count as 0 and give −∞, those below 0 give
 * NaN; ∞ and NaN stay what they are.
 */
export const log: VectorFunction = (library, f, xs) => {
  const one = shared(library, f, 1);
  const exponents = mapEach(f, xs, (x) => i32x4.shrS(i32x4.sub(x, library.splatBits(SQRT_HALF_BITS)), 23));
  // What the mantissa, in [√½, √2), has over 1: exact.
  const fractions = xs.map((x, i) =>
    f.let(f32x4.sub(i32x4.sub(x, i32x4.shl(exponents[i] as Vector, 23)), one)),
  );
  const squares = mapEach(f, fractions, (x) => f32x4.mul(x, x));
  const sums = horner(library, f, fractions, LOG_COEFFICIENTS);
  const powers = mapEach(f, exponents, (e) => f32x4.convertI32x4S(e));
  return xs.map((x, i) => {
    const [sum, square, fraction, power] = [sums[i], squares[i], fractions[i], powers[i]] as [
      Vector,
      Vector,
      Vector,
      Vector,
    ];
    f.set(sum, f32x4.mul(f32x4.mul(sum, fraction), square));
    f.set(sum, f32x4.add(sum, f32x4.mul(power, library.splat(LN2_LOWER))));
    f.set(sum, f32x4.sub(sum, f32x4.mul(square, library.splat(0.5))));
    f.set(sum, f32x4.add(f32x4.add(fraction, sum), f32x4.mul(power, library.splat(LN2_UPPER))));
    const below = v128.bitselect(
      library.splat(Number.NaN),
      library.splat(-Infinity),
      f32x4.lt(x, v128.zero()),
    );
    f.set(sum, v128.bitselect(below, sum, f32x4.lt(x, library.splat(SMALLEST_NORMAL))));
    return f.let(v128.bitselect(sum, x, f32x4.lt(x, library.splat(Infinity))));
  });
};

/** 1 / (1 + 2^(-x·log2 e)), the exponent clamped to ±126. Absolute error at most 1.0e-7. */
export const sigmoid: VectorFunction = (library, f, xs) => {
  const exps = exp2(library, f, scaleAndClamp(library, f, xs, -LOG2_E, EXPONENT_LIMIT));
  const one = shared(library, f, 1);
  return mapEach(f, exps, (e) => f32x4.div(one, f32x4.add(one, e)));
};

/** (1 − e) / (1 + e) with e = 2^(-2x·log2 e), clamped. Absolute error at most 1.4e-7. */
export const tanh: VectorFunction = (library, f, xs) => {
  const exps = exp2(library, f, scaleAndClamp(library, f, xs, -2 * LOG2_E, EXPONENT_LIMIT));
  const one = shared(library, f, 1);
  return mapEach(f, exps, (e) => f32x4.div(f32x4.sub(one, e), f32x4.add(one, e)));
};

/** x · sigmoid(x). */
export const silu: VectorFunction = (library, f, xs) =>
  sigmoid(library, f, xs).map((s, index) => f.let(f32x4.mul(xs[index] as Vector, s)));

/**
 * GELU with tanh: 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), computed as the equal x · sigmoid(2·√(2/π)·(…)).
 */
export const geluTanh: VectorFunction = (library, f, xs) => {
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const [linear, cubic] = [scale, scale * 0.044715].map((value) => shared(library, f, value)) as [
    Vector,
    Vector,
  ];
  const arguments_ = mapEach(f, xs, (x) =>
    f32x4.mul(x, f32x4.add(f32x4.mul(f32x4.mul(x, x), cubic), linear)),
  );
  return sigmoid(library, f, arguments_).map((s, index) => f.let(f32x4.mul(xs[index] as Vector, s)));
};

/** GELU with erf: 0.5·x·(1 + erf(x/√2)). Absolute error at most 1.6e-6, exact for |x| > 5.31. */
export const gelu: VectorFunction = (library, f, xs) => {
  const quotients = erfOf(library, f, scaleAndClamp(library, f, xs, Math.SQRT1_2, ERF_LIMIT));
  const half = shared(library, f, 0.5);
  return xs.map((x, index) => {
    const halfX = f.let(f32x4.mul(x, half));
    return f.let(f32x4.add(f32x4.mul(halfX, quotients[index]!), halfX));
  });
};

/** Absolute error at most 5.5e-7. */
export const erf: VectorFunction = (library, f, xs) =>
  erfOf(library, f, scaleAndClamp(library, f, xs, 1, ERF_LIMIT)).map((quotient) => f.let(quotient));

/** z·P(z²)/Q(z²) for |z| ≤ ERF_LIMIT. */
function erfOf(library: KernelLibrary, f: FunctionBuilder, zs: readonly Vector[]): Expr<'v128'>[] {
  const squares = mapEach(f, zs, (z) => f32x4.mul(z, z));
  const fourth = mapEach(f, squares, (square) => f32x4.mul(square, square));
  const numerators = polynomial(library, f, squares, fourth, ERF_NUMERATOR);
  const denominators = polynomial(library, f, squares, fourth, ERF_DENOMINATOR);
  return zs.map((z, index) => f32x4.div(f32x4.mul(z, numerators[index]!), denominators[index]!));
}
