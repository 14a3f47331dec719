import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { eliminateGroups } from './eliminate-groups.ts';
import { fitProjection } from './fit-projection.ts';
import { invertPositive } from './invert-positive.ts';
import { multiplySquare } from './multiply-square.ts';
import { NormalEquations } from './normal-equations.ts';

// Double precision; condition numbers of these random matrices are below 1e4.
/** Products are summed in float32 over a few hundred rows. */
const BATCHED = { abs: 1e-4, rel: 1e-6 };
const DOUBLE = { abs: 1e-9, rel: 1e-9 };

/** Xᵀ·Y [inputs, outputs] of rows [count, …], the slow way. */
function products(x: Float32Array, y: Float32Array, count: number): Float64Array {
  const [inputs, outputs] = [x.length / count, y.length / count];
  return Float64Array.from({ length: inputs * outputs }, (_, at) => {
    const [i, j] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let row = 0; row < count; row++) sum += x[row * inputs + i]! * y[row * outputs + j]!;
    return sum;
  });
}

function summed(x: Float32Array, y: Float32Array, count: number, scale = 1): NormalEquations {
  const [inputs, outputs] = [x.length / count, y.length / count];
  const equations = new NormalEquations(inputs, outputs);
  for (let row = 0; row < count; row++)
    equations.add(
      x.subarray(row * inputs, (row + 1) * inputs),
      y.subarray(row * outputs, (row + 1) * outputs),
      scale,
    );
  return equations;
}

describe('NormalEquations', () => {
  it.each([
    [1, 1, 1],
    [63, 5, 3],
    [64, 8, 4],
    [150, 13, 6],
    [600, 30, 9],
  ])('%i rows of %i inputs and %i outputs', (count, inputs, outputs) => {
    const random = seededRandom(count);
    const [x, y] = [random.normal(count * inputs), random.normal(count * outputs)];
    const equations = summed(x, y, count, 2);
    const lower = (matrix: Float64Array): Float64Array =>
      matrix.filter((_, at) => at % inputs <= Math.floor(at / inputs));
    expectTensorClose(
      lower(equations.gram()),
      lower(products(x, x, count)).map((sum) => 4 * sum),
      BATCHED,
    );
    expectTensorClose(
      equations.cross(),
      products(x, y, count).map((sum) => 4 * sum),
      BATCHED,
    );
  });
});

function inverted(matrix: Float64Array, n: number): Float64Array {
  const inverse = matrix.slice();
  invertPositive(inverse, n);
  return inverse;
}

describe('invertPositive', () => {
  it.each([1, 2, 9, 40])('%i rows', (n) => {
    const random = seededRandom(n);
    const x = random.normal(2 * n * n);
    const matrix = products(x, x, 2 * n);
    const identity = Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
    expectTensorClose(multiplySquare(inverted(matrix, n), matrix, n), identity, DOUBLE);
  });

  it('refuses rows that depend on each other', () => {
    expect(() => invertPositive(Float64Array.of(1, 2, 2, 4), 2)).toThrow(
      'row 1 of 2 depends on those before it',
    );
  });
});

describe('eliminateGroups', () => {
  const [count, inputs, outputs, groupSize] = [60, 12, 5, 3];
  const random = seededRandom(7);
  const x = random.normal(count * inputs);
  // The second group matters little, and the third is nearly the first one again.
  for (let row = 0; row < count; row++)
    for (let i = 0; i < groupSize; i++) {
      x[row * inputs + 3 + i]! *= 0.05;
      x[row * inputs + 6 + i] = x[row * inputs + i]! + 0.1 * x[row * inputs + 6 + i]!;
    }
  const y = random.normal(count * outputs);

  /** Weight and squared error of least squares with the inputs of these groups only. */
  function solve(groups: readonly number[]): { weight: Float64Array; error: number } {
    const features = groups.flatMap((group) => [0, 1, 2].map((i) => group * groupSize + i));
    const kept = Float32Array.from({ length: count * features.length }, (_, at) => {
      const [row, i] = [Math.floor(at / features.length), at % features.length];
      return x[row * inputs + features[i]!]!;
    });
    const n = features.length;
    const weight = multiplySquare(
      inverted(products(kept, kept, count), n),
      products(kept, y, count),
      outputs,
    );
    let error = 0;
    for (let row = 0; row < count; row++)
      for (let j = 0; j < outputs; j++) {
        let rest = y[row * outputs + j]!;
        for (let i = 0; i < n; i++) rest -= kept[row * n + i]! * weight[i * outputs + j]!;
        error += rest ** 2;
      }
    return { weight, error };
  }

  it.each([1, 2])(
    'removes the %i groups that a greedy search with real fits removes, and leaves its weight',
    (remove) => {
      const inverse = inverted(products(x, x, count), inputs);
      const weight = multiplySquare(inverse, products(x, y, count), outputs);
      const before = solve([0, 1, 2, 3]).error;
      const { keep, costs } = eliminateGroups({
        inverse,
        weight,
        outputs,
        groupSize,
        groupCount: 4,
        remove,
      });
      let expected = [0, 1, 2, 3];
      for (let round = 0; round < remove; round++) {
        const choices = expected.map((group) => expected.filter((other) => other !== group));
        [expected = []] = choices.toSorted((a, b) => solve(a).error - solve(b).error);
      }
      expect(keep).toEqual(expected);
      expect(costs).toHaveLength(remove);
      const rise = costs.reduce((sum, cost) => sum + cost, 0);
      expectTensorClose([rise], [solve(keep).error - before], DOUBLE);
      const left = keep.flatMap((group) => [...weight.subarray(group * 15, (group + 1) * 15)]);
      expectTensorClose(left, solve(keep).weight, DOUBLE);
    },
  );
});

describe('fitProjection', () => {
  const [count, inputs, outputs] = [50, 6, 4];
  const random = seededRandom(3);
  const x = random
    .normal(count * (inputs + 1))
    .map((value, at) => (at % (inputs + 1) === inputs ? 1 : value));
  const truth = { weight: random.normal(inputs * outputs), bias: random.normal(outputs) };
  const y = Float32Array.from({ length: count * outputs }, (_, at) => {
    const [row, j] = [Math.floor(at / outputs), at % outputs];
    let sum = truth.bias[j]!;
    for (let i = 0; i < inputs; i++) sum += x[row * (inputs + 1) + i]! * truth.weight[i * outputs + j]!;
    return sum;
  });
  const other = { weight: new Float32Array(inputs * outputs), bias: new Float32Array(outputs) };

  it('finds the weight and the bias that made the data', () => {
    const fit = fitProjection({
      equations: summed(x, y, count),
      ...other,
      groupSize: 1,
      remove: 0,
      damping: 1e-9,
    });
    expect(fit.keep).toEqual([0, 1, 2, 3, 4, 5]);
    expectTensorClose(fit.weight, truth.weight, { abs: 1e-5 });
    expectTensorClose(fit.bias, truth.bias, { abs: 1e-5 });
  });

  it('keeps the weight that it has where damping is strong', () => {
    const given = { weight: random.normal(inputs * outputs), bias: random.normal(outputs) };
    const fit = fitProjection({
      equations: summed(x, y, count),
      ...given,
      groupSize: 1,
      remove: 0,
      damping: 1e9,
    });
    expectTensorClose(fit.weight, given.weight, { abs: 1e-5 });
  });

  it('removes an input that is always 0 first', () => {
    const silent = x.map((value, at) => (at % (inputs + 1) === 2 ? 0 : value));
    const fit = fitProjection({
      equations: summed(silent, y, count),
      ...other,
      groupSize: 1,
      remove: 1,
      damping: 0.01,
    });
    expect(fit.keep).toEqual([0, 1, 3, 4, 5]);
  });
});
