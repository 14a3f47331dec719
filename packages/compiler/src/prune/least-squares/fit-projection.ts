import { eliminateGroups } from './eliminate-groups.ts';
import { invertPositive } from './invert-positive.ts';
import { multiplySquare } from './multiply-square.ts';
import type { NormalEquations } from './normal-equations.ts';

export interface FitProjectionOptions {
  /** Sums over calibration data, with one input more than the projection has: the constant 1 that the bias belongs to. */
  readonly equations: NormalEquations;
  /** Weight [K,N] and bias [N] as they are. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Inputs that go together: a head's depth, or 1. */
  readonly groupSize: number;
  /** Groups to remove. */
  readonly remove: number;
  /** Pull towards the weight as it is, as a share of the mean square of an input: keeps inputs that the data hardly show. */
  readonly damping: number;
}

export interface FittedProjection {
  /** Groups that stay, ascending. */
  readonly keep: readonly number[];
  /** Rise of the squared error, the pull included, with each removal, in order. */
  readonly costs: readonly number[];
  /** Weight [kept inputs, N] and bias [N] of least squares for them. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Removes groups of a projection's inputs and fits the weight of those that stay: W = (Xᵀ·X + λ·I)⁻¹·(Xᵀ·Y + λ·W₀), without the
 * groups that `eliminateGroups` removes.
 */
export function fitProjection({
  equations,
  groupSize,
  remove,
  ...given
}: FitProjectionOptions): FittedProjection {
  const { inputs: n, outputs } = equations;
  const inverse = equations.gram();
  const lambda = given.damping * meanDiagonal(inverse, n);
  for (let i = 0; i < n; i++) inverse[i * n + i]! += lambda;
  invertPositive(inverse, n);
  const solved = multiplySquare(inverse, targets(equations, given, lambda), outputs);
  const { keep, costs } = eliminateGroups({
    inverse,
    weight: solved,
    outputs,
    groupSize,
    groupCount: (n - 1) / groupSize,
    remove,
  });
  const weight = new Float32Array(keep.length * groupSize * outputs);
  for (const [at, group] of keep.entries()) {
    const start = group * groupSize * outputs;
    weight.set(solved.subarray(start, start + groupSize * outputs), at * groupSize * outputs);
  }
  return { keep, costs, weight, bias: Float32Array.from(solved.subarray((n - 1) * outputs)) };
}

/** Xᵀ·Y + λ·W₀, the bias being the last row of W₀. */
function targets(
  equations: NormalEquations,
  { weight, bias }: Pick<FitProjectionOptions, 'weight' | 'bias'>,
  lambda: number,
): Float64Array {
  return equations
    .cross()
    .map((sum, at) => sum + lambda * (at < weight.length ? weight[at]! : bias[at - weight.length]!));
}

/** Never 0: the constant 1 is among the inputs. */
function meanDiagonal(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]!;
  return sum / n;
}
