import { f32x4, v128 } from '../../../wasm/index.ts';
import { LOG2_E } from './math-constants.ts';
import {
  exp,
  exp2,
  EXPONENT_LIMIT,
  log,
  mapEach,
  scaleAndClamp,
  shared,
  type Vector,
  type VectorFunction,
} from './vector-math.ts';

// Activations of layers; exact up to rounding where nothing else is said.

/** The larger of x and 0. */
export const relu: VectorFunction = (_library, f, xs) => mapEach(f, xs, (x) => f32x4.pmax(v128.zero(), x));

export const clip =
  (low: number, high: number): VectorFunction =>
  (library, f, xs) =>
    mapEach(f, xs, (x) => f32x4.pmin(library.splat(high), f32x4.pmax(library.splat(low), x)));

/** x·max(0, min(1, x/6 + 0.5)), ONNX's HardSwish with its alpha of 1/6 rounded to float32. */
export const hardSwish: VectorFunction = (library, f, xs) => {
  const gates = mapEach(f, xs, (x) =>
    f32x4.add(f32x4.mul(x, library.splat(Math.fround(1 / 6))), library.splat(0.5)),
  );
  return clip(0, 1)(library, f, gates).map((gate, index) => f.let(f32x4.mul(xs[index] as Vector, gate)));
};

export const hardSigmoid =
  (slope: number, offset: number): VectorFunction =>
  (library, f, xs) => {
    const line = mapEach(f, xs, (x) => f32x4.add(f32x4.mul(x, library.splat(slope)), library.splat(offset)));
    return clip(0, 1)(library, f, line);
  };

export const leakyRelu =
  (slope: number): VectorFunction =>
  (library, f, xs) =>
    mapEach(f, xs, (x) =>
      v128.bitselect(f32x4.mul(x, library.splat(Math.fround(slope))), x, f32x4.lt(x, v128.zero())),
    );

/** x·scale; below 0 amplitude·(e^(x·rate) − 1), of absolute error 3e-7·amplitude. */
export const elu =
  (amplitude: number, scale: number, rate: number): VectorFunction =>
  (library, f, xs) => {
    const powers = exp(
      library,
      f,
      mapEach(f, xs, (x) => f32x4.mul(x, library.splat(rate))),
    );
    const one = shared(library, f, 1);
    return xs.map((x, index) => {
      const below = f32x4.mul(f32x4.sub(powers[index]!, one), library.splat(amplitude));
      const above = f32x4.mul(x, library.splat(scale));
      return f.let(v128.bitselect(below, above, f32x4.lt(x, v128.zero())));
    });
  };

/** ln(1 + eˣ) as max(x, 0) + ln(1 + e^−|x|). Absolute error at most 3e-7, or that of rounding. */
export const softplus: VectorFunction = (library, f, xs) => {
  const powers = exp(
    library,
    f,
    mapEach(f, xs, (x) => f32x4.neg(f32x4.abs(x))),
  );
  const one = shared(library, f, 1);
  const rests = log(
    library,
    f,
    mapEach(f, powers, (power) => f32x4.add(one, power)),
  );
  return xs.map((x, index) => f.let(f32x4.add(f32x4.pmax(v128.zero(), x), rests[index]!)));
};

/** x/(1 + |x|). */
export const softsign: VectorFunction = (library, f, xs) => {
  const one = shared(library, f, 1);
  return mapEach(f, xs, (x) => f32x4.div(x, f32x4.add(one, f32x4.abs(x))));
};

/** Beyond, n/(n + 2) of mish is 1. */
const MISH_LIMIT = 60;

/** x·tanh(ln(1 + eˣ)) as x·n/(n + 2) with n = eˣ·(eˣ + 2). Error at most 4e-7 of |x| or 1, the larger. */
export const mish: VectorFunction = (library, f, xs) => {
  const limit = shared(library, f, MISH_LIMIT);
  const exponents = scaleAndClamp(library, f, xs, LOG2_E, EXPONENT_LIMIT);
  const powers = exp2(
    library,
    f,
    mapEach(f, exponents, (exponent) => f32x4.pmin(limit, exponent)),
  );
  const two = shared(library, f, 2);
  return xs.map((x, index) => {
    const power = powers[index] as Vector;
    const n = f.let(f32x4.mul(power, f32x4.add(power, two)));
    return f.let(f32x4.mul(x, f32x4.div(n, f32x4.add(n, two))));
  });
};
