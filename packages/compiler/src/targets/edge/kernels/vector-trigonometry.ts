import { f32x4, i32x4, v128, type Expr, type FunctionBuilder } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { PI_PARTS, ROUND_TO_INTEGER, SIN_COEFFICIENTS } from './math-constants.ts';
import { horner, mapEach, shared, type Vector, type VectorFunction } from './vector-math.ts';

/** sin x, absolute error at most 2e-7 for |x| ≤ 10⁴; beyond it grows with x. */
export const sin: VectorFunction = (library, f, xs) => {
  const { turns, angles } = reduce(library, f, xs, 0);
  return oddSine(library, f, turns, angles);
};

/** cos x, with the error of sin. */
export const cos: VectorFunction = (library, f, xs) => {
  const { turns, angles } = reduce(library, f, xs, 0.5);
  // cos((n + ½)π + a) = −(−1)ⁿ·sin a
  return oddSine(
    library,
    f,
    turns,
    mapEach(f, angles, (angle) => f32x4.neg(angle)),
  );
};

/**
 * x as (n + shift)·π + angle with |angle| ≤ π/2 (Cody and Waite 1980); n is in the lowest bits of `turns`. π in three
 * parts: products with the first are exact.
 */
function reduce(
  library: KernelLibrary,
  f: FunctionBuilder,
  xs: readonly Vector[],
  shift: number,
): { turns: Vector[]; angles: Vector[] } {
  const [perPi, round, offset] = [1 / Math.PI, ROUND_TO_INTEGER, shift].map((value) =>
    shared(library, f, value),
  ) as [Vector, Vector, Vector];
  const turns = mapEach(f, xs, (x) => f32x4.add(f32x4.sub(f32x4.mul(x, perPi), offset), round));
  const angles = xs.map((x, index) => {
    const count = f.let(f32x4.add(f32x4.sub(turns[index]!, round), offset));
    return f.let(
      PI_PARTS.reduce<Expr<'v128'>>(
        (rest, part) => f32x4.sub(rest, f32x4.mul(count, library.splat(part))),
        x,
      ),
    );
  });
  return { turns, angles };
}

/** (−1)ⁿ·sin a, as a + a·a²·P(a²). */
function oddSine(
  library: KernelLibrary,
  f: FunctionBuilder,
  turns: readonly Vector[],
  angles: readonly Vector[],
): readonly Vector[] {
  const squares = mapEach(f, angles, (angle) => f32x4.mul(angle, angle));
  const sums = horner(library, f, squares, SIN_COEFFICIENTS);
  return angles.map((angle, index) => {
    const cubic = f32x4.mul(f32x4.mul(angle, squares[index]!), sums[index]!);
    return f.let(v128.xor(f32x4.add(angle, cubic), i32x4.shl(turns[index]!, 31)));
  });
}
