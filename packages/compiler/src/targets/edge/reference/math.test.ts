import { describe, expect, it } from 'vitest';
import {
  cos,
  elu,
  erf as erfOf,
  exp2,
  gelu,
  geluTanh,
  log,
  mish,
  sigmoid,
  silu,
  sin,
  softplus,
  tanh,
} from './math.ts';

// The kernels compute what this reference does, to the bit (test/kernels); here it is held against double precision.

/** erf by its Taylor series below 3 and by the continued fraction of erfc above; good to about 1e-14. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}

function* between(low: number, high: number, count = 200_000): Generator<number> {
  for (let index = 0; index <= count; index++) yield Math.fround(low + ((high - low) * index) / count);
}

/** Largest |actual − expected| / scale. */
function worst(
  xs: Iterable<number>,
  actual: (x: number) => number,
  expected: (x: number) => number,
  scale: (exact: number) => number = () => 1,
): number {
  let largest = 0;
  for (const x of xs) {
    const exact = expected(x);
    const error = Math.abs(actual(x) - exact) / scale(exact);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

const exact = {
  sigmoid: (x: number): number => 1 / (1 + Math.exp(-x)),
  gelu: (x: number): number => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
  geluTanh: (x: number): number =>
    (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

describe('against double precision', () => {
  it('exp2: relative error', () => {
    expect(worst(between(-126, 126), exp2, (x) => 2 ** x, Math.abs)).toBeLessThan(2.4e-7);
    expect(exp2(0)).toBe(1);
    expect(exp2(-127)).toBe(0);
  });

  it('log: error of the result, or of 1 where that is larger', () => {
    const scale = (value: number): number => Math.max(1, Math.abs(value));
    function* everywhere(): Generator<number> {
      for (const exponent of [-126, -60, -3, -1, 0, 1, 7, 90, 127])
        for (const x of between(1, 2, 20_000)) if (x < 2) yield x * 2 ** exponent;
    }
    expect(worst(everywhere(), log, Math.log, scale)).toBeLessThan(1e-7);
    expect([log(1), log(0), log(-0), log(1e-40), log(Infinity)]).toEqual([
      0,
      -Infinity,
      -Infinity,
      -Infinity,
      Infinity,
    ]);
    expect([log(-1), log(-Infinity), log(NaN)]).toEqual([NaN, NaN, NaN]);
  });

  it('sigmoid and tanh: absolute error', () => {
    expect(worst(between(-40, 40), sigmoid, exact.sigmoid)).toBeLessThan(1.0e-7);
    expect(worst(between(-20, 20), tanh, Math.tanh)).toBeLessThan(1.4e-7);
    expect([sigmoid(1e30), sigmoid(-1e30), tanh(1e30), tanh(-1e30)].map(Math.abs)).toEqual([
      1,
      expect.closeTo(0, 30),
      1,
      1,
    ]);
  });

  it('sin and cos: absolute error', () => {
    for (const limit of [4, 100, 10_000]) {
      expect(worst(between(-limit, limit), sin, Math.sin)).toBeLessThan(2e-7);
      expect(worst(between(-limit, limit), cos, Math.cos)).toBeLessThan(2e-7);
    }
    expect([sin(0), cos(0)]).toEqual([0, 1]);
    expect([sin(NaN), cos(Infinity)]).toEqual([NaN, NaN]);
  });

  it('erf and elu: absolute error', () => {
    expect(worst(between(-5, 5), erfOf, erf)).toBeLessThan(5.5e-7);
    const exactElu = (x: number): number => (x < 0 ? 1.5 * Math.expm1(0.7 * x) : 1.1 * x);
    const scale = (value: number): number => Math.max(1, Math.abs(value));
    expect(worst(between(-20, 20), (x) => elu(x, 1.5, 1.1, 0.7), exactElu, scale)).toBeLessThan(4.5e-7);
  });

  it('softplus and mish: absolute error, relative to x where x is large', () => {
    const scale = (value: number): number => Math.max(1, Math.abs(value));
    const exactSoftplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    expect(worst(between(-30, 30), softplus, exactSoftplus, scale)).toBeLessThan(3e-7);
    const exactMish = (x: number): number => x * Math.tanh(exactSoftplus(x));
    expect(worst(between(-30, 30), mish, exactMish, scale)).toBeLessThan(4e-7);
    expect([mish(100), softplus(100)]).toEqual([100, 100]);
  });

  it('gelu, gelu_tanh, silu: absolute error, relative to x where x is large', () => {
    const scale = (value: number): number => Math.max(1, Math.abs(value));
    expect(worst(between(-10, 10), gelu, exact.gelu)).toBeLessThan(1.6e-6);
    expect(worst(between(-10, 10), geluTanh, exact.geluTanh, scale)).toBeLessThan(3e-7);
    expect(worst(between(-40, 40), silu, (x) => x * exact.sigmoid(x), scale)).toBeLessThan(3e-7);
    expect([gelu(100), geluTanh(100), silu(200)]).toEqual([100, 100, 200]);
    expect([gelu(-5.4), gelu(-100)]).toEqual([0, 0]);
  });
});
