import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import type { NamedActivation, Rung } from '../../src/targets/edge/kernels/index.ts';
import type { KernelCase } from './case.ts';
import { exactModes } from './harness.ts';
import { QUANTIZATIONS } from './random-rows.ts';
import { attentionCase, embedCase } from './encoder-cases.ts';
import { expandCase, linearF32Case, linearInt8Case, quantizeCase, type LinearShape } from './linear-cases.ts';
import { mapCases } from './map-cases.ts';
import { recurrentCases } from './recurrent-cases.ts';
import { selectionCases } from './selection-cases.ts';
import { elementwiseCase, layerNormCase, softmaxAndBinaryCase } from './row-cases.ts';

// Every kernel against its plain reference, to the bit, over seeded shapes. One list of cases for Node and Chromium.

const ALL_ACTIVATIONS: NamedActivation[] = [
  'none',
  'relu',
  'gelu',
  'gelu_tanh',
  'tanh',
  'sigmoid',
  'silu',
  'mish',
  'hard_swish',
  'softplus',
  'softsign',
  'sqrt',
  'log',
  'exp',
  'sin',
  'cos',
  'erf',
  'abs',
  'neg',
  'reciprocal',
  'floor',
  'ceil',
  'round',
];

const LINEAR_SHAPES: LinearShape[] = [
  { rows: 1, k: 1, n: 1 },
  { rows: 1, k: 5, n: 7 },
  { rows: 2, k: 4, n: 8 },
  { rows: 3, k: 16, n: 9 },
  { rows: 7, k: 33, n: 17 },
  { rows: 13, k: 64, n: 24 },
  { rows: 5, k: 1, n: 40 },
  { rows: 19, k: 12, n: 3 },
  { rows: 6, k: 8, n: 16 },
  { rows: 29, k: 100, n: 31 },
];

/** All cases of a rung; the integer ones run in every mode that is exact on this machine. */
export function kernelCases(rung: Rung): KernelCase[] {
  const modes = exactModes(rung);
  const random = seededRandom(20260731);
  const cases: KernelCase[] = [];
  let seed = 0;
  for (const quantization of QUANTIZATIONS) {
    for (const k of [1, 3, 4, 7, 8, 15, 16, 17, 31, 48, 100])
      cases.push(quantizeCase(rung, ++seed, k, quantization));
  }
  const randomShapes = Array.from({ length: 12 }, () => ({
    rows: random.int(1, 40),
    k: random.int(1, 90),
    n: random.int(1, 50),
  }));
  for (const shape of [...LINEAR_SHAPES, ...randomShapes]) {
    for (const weights of [7, 8, 'paired'] as const) {
      for (const extreme of [false, true]) {
        const activation = extreme ? 'none' : random.pick(ALL_ACTIVATIONS);
        const limit = weights === 7 ? random.pick([63, 40, 32]) : 127;
        cases.push(
          linearInt8Case(rung, modes[weights === 7 ? 7 : 8], ++seed, shape, {
            weights,
            activation,
            extreme,
            residual: random() < 0.4,
            panels: random() < 0.4,
            limit,
          }),
        );
      }
    }
    cases.push(linearF32Case(rung, ++seed, shape, random.pick(ALL_ACTIVATIONS)));
  }
  for (const n of [1, 2, 4, 7, 8, 9, 13, 24, 64, 100]) {
    cases.push(
      layerNormCase(rung, ++seed, n),
      layerNormCase(rung, ++seed, n),
      layerNormCase(rung, ++seed, n),
    );
    cases.push(softmaxAndBinaryCase(rung, ++seed, n));
  }
  for (const activation of ALL_ACTIVATIONS) {
    if (activation !== 'none') cases.push(elementwiseCase(rung, ++seed, activation));
  }
  cases.push(elementwiseCase(rung, ++seed, { kind: 'elu', amplitude: 1.7, scale: 1.05, rate: 0.6 }));
  for (const mask of ['none', 'some', 'all'] as const) {
    for (const [heads, headSize] of [
      [1, 1],
      [2, 3],
      [3, 4],
      [2, 8],
      [2, 12],
      [1, 32],
    ] as const) {
      for (const keys of [1, 5, 8, random.int(9, 40)]) {
        const queries = random.pick([1, keys, random.int(2, 45)]);
        cases.push(attentionCase(rung, ++seed, { heads, headSize, keys, queries, mask }));
      }
    }
  }
  for (let index = 0; index < 30; index++) cases.push(embedCase(rung, ++seed));
  for (const [k, n] of [
    [1, 1],
    [4, 8],
    [33, 9],
    [64, 16],
    [100, 31],
  ] as const) {
    cases.push(expandCase(rung, ++seed, k, n));
  }
  return [...cases, ...mapCases(rung), ...recurrentCases(rung), ...selectionCases(rung)];
}
