import {
  ERF_DENOMINATOR,
  ERF_LIMIT,
  ERF_NUMERATOR,
  EXP2_COEFFICIENTS,
  LN2_LOWER,
  LN2_UPPER,
  LOG2_E,
  LOG_COEFFICIENTS,
  PI_PARTS,
  ROUND_TO_INTEGER,
  SIN_COEFFICIENTS,
  SMALLEST_NORMAL,
  SQRT_HALF_BITS,
} from '../kernels/math-constants.ts';

// kernels/vector-*.ts for one number, every operation rounded to float32.

const fround = Math.fround;
const floatBits = new Float32Array(1);
const intBits = new Int32Array(floatBits.buffer);

function bitsOf(value: number): number {
  floatBits[0] = value;
  return intBits[0] as number;
}

function floatOf(bits: number): number {
  intBits[0] = bits;
  return floatBits[0] as number;
}

export const add = (a: number, b: number): number => fround(a + b);
export const sub = (a: number, b: number): number => fround(a - b);
export const mul = (a: number, b: number): number => fround(a * b);
export const div = (a: number, b: number): number => fround(a / b);

/** An integer, half to even, for magnitudes below 2^22. */
export function roundHalfEven(x: number): number {
  return sub(add(x, ROUND_TO_INTEGER), ROUND_TO_INTEGER);
}

function horner(x: number, coefficients: readonly number[]): number {
  return coefficients
    .slice(0, -1)
    .reduceRight(
      (sum, coefficient) => add(mul(sum, x), fround(coefficient)),
      fround(coefficients.at(-1) as number),
    );
}

/** even(x²) + x·odd(x²), given x². */
function polynomial(x: number, square: number, coefficients: readonly number[]): number {
  const part = (parity: number): number =>
    horner(
      square,
      coefficients.filter((_, index) => index % 2 === parity),
    );
  return add(part(0), mul(x, part(1)));
}

export function exp2(x: number): number {
  const shifted = add(x, ROUND_TO_INTEGER);
  const fraction = sub(x, sub(shifted, ROUND_TO_INTEGER));
  return floatOf(
    (bitsOf(polynomial(fraction, mul(fraction, fraction), EXP2_COEFFICIENTS)) + (bitsOf(shifted) << 23)) | 0,
  );
}

export function clamp(x: number, low: number, high: number): number {
  const raised = fround(low) < x ? x : fround(low);
  return raised < fround(high) ? raised : fround(high);
}

export function exp(x: number): number {
  return exp2(clamp(mul(x, fround(LOG2_E)), -126, 126));
}

export function log(x: number): number {
  if (!(x < Infinity)) return x;
  if (x < fround(SMALLEST_NORMAL)) return x < 0 ? NaN : -Infinity;
  const exponent = (bitsOf(x) - SQRT_HALF_BITS) >> 23;
  const fraction = sub(floatOf(bitsOf(x) - (exponent << 23)), 1);
  const square = mul(fraction, fraction);
  const tail = mul(mul(horner(fraction, LOG_COEFFICIENTS), fraction), square);
  const lower = add(tail, mul(exponent, fround(LN2_LOWER)));
  return add(add(fraction, sub(lower, mul(square, 0.5))), mul(exponent, fround(LN2_UPPER)));
}

export function sigmoid(x: number): number {
  return div(1, add(1, exp2(clamp(mul(x, fround(-LOG2_E)), -126, 126))));
}

export function tanh(x: number): number {
  const e = exp2(clamp(mul(x, fround(-2 * LOG2_E)), -126, 126));
  return div(sub(1, e), add(1, e));
}

export function silu(x: number): number {
  return mul(x, sigmoid(x));
}

export function geluTanh(x: number): number {
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const factor = add(mul(mul(x, x), fround(scale * 0.044715)), fround(scale));
  return mul(x, sigmoid(mul(x, factor)));
}

export function gelu(x: number): number {
  const half = mul(x, 0.5);
  return add(mul(half, erf(mul(x, fround(Math.SQRT1_2)))), half);
}

export function erf(x: number): number {
  const z = clamp(x, -ERF_LIMIT, ERF_LIMIT);
  const square = mul(z, z);
  const fourth = mul(square, square);
  return div(mul(z, polynomial(square, fourth, ERF_NUMERATOR)), polynomial(square, fourth, ERF_DENOMINATOR));
}

export const sin = (x: number): number => oddSine(reduceAngle(x, 0));

export function cos(x: number): number {
  const { turns, angle } = reduceAngle(x, 0.5);
  return oddSine({ turns, angle: -angle });
}

interface Reduced {
  readonly turns: number;
  readonly angle: number;
}

function reduceAngle(x: number, shift: number): Reduced {
  const turns = add(sub(mul(x, fround(1 / Math.PI)), shift), ROUND_TO_INTEGER);
  const count = add(sub(turns, ROUND_TO_INTEGER), shift);
  return { turns, angle: PI_PARTS.reduce((rest, part) => sub(rest, mul(count, fround(part))), x) };
}

function oddSine({ turns, angle }: Reduced): number {
  const square = mul(angle, angle);
  const sine = add(angle, mul(mul(angle, square), horner(square, SIN_COEFFICIENTS)));
  return (bitsOf(turns) & 1) === 1 ? -sine : sine;
}

export function softplus(x: number): number {
  return add(x > 0 ? x : 0, log(add(1, exp(-Math.abs(x)))));
}

export function softsign(x: number): number {
  return div(x, add(1, Math.abs(x)));
}

export function mish(x: number): number {
  const power = exp2(Math.min(60, clamp(mul(x, fround(LOG2_E)), -126, 126)));
  const n = mul(power, add(power, 2));
  return mul(x, div(n, add(n, 2)));
}

export function elu(x: number, amplitude: number, scale: number, rate: number): number {
  if (!(x < 0)) return mul(x, fround(scale));
  return mul(sub(exp(mul(x, fround(rate))), 1), fround(amplitude));
}

export function hardSwish(x: number): number {
  return mul(x, clamp(add(mul(x, fround(1 / 6)), 0.5), 0, 1));
}

/** Sum of a row in the kernels' lane order: column c goes to partial sum c mod 8. */
export function laneSum(length: number, valueAt: (index: number) => number): number {
  const lanes = new Float32Array(8);
  for (let index = 0; index < length; index++) {
    lanes[index % 8] = (lanes[index % 8] as number) + valueAt(index);
  }
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((lane) =>
    add(lanes[lane] as number, lanes[lane + 4] as number),
  );
  return add(add(a, c), add(b, d));
}
