import { seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { float32Tensor, parseModel, type Model } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import { compactConvNet } from '../../transforms/index.ts';
import { priceChains } from './price-chains.ts';
import { type CalibrationData } from '../run-together.ts';
import { OutputError } from './output-error.ts';

/** Two branches of the same size; the channels of `c` reach the output, those of `e` do not. */
const NETWORK = `ir 8
opset ai.onnx 14

graph main {
  input x: float32[1,4,6,6]
  a0 = Conv(x, w0) kernel_shape=[1, 1]
  a = Relu(a0)
  c = Conv(a, w1) kernel_shape=[1, 1]
  b0 = Conv(x, w2) kernel_shape=[1, 1]
  b = Relu(b0)
  e = Conv(b, w3) kernel_shape=[1, 1]
  d = Concat(c, e) axis=1
  g = GlobalAveragePool(d)
  h = Flatten(g) axis=1
  l = Gemm(h, w4)
  y = Softmax(l) axis=-1
  output y: float32[1,5]
}
`;
const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  w0: [16, 4, 1, 1],
  w1: [3, 16, 1, 1],
  w2: [16, 4, 1, 1],
  w3: [3, 16, 1, 1],
  w4: [6, 5],
};
const OUTPUTS = 5;

async function network(): Promise<Model> {
  const declared = Object.entries(WEIGHTS).map(([name, dims]) => `input ${name}: float32[${dims.join()}]`);
  const model = parseModel(NETWORK.replace('  a0 =', `  ${declared.join('\n  ')}\n  a0 =`));
  const random = seededRandom(3);
  for (const [name, dims] of Object.entries(WEIGHTS)) {
    const values = random.normal(dims.reduce((product, dim) => product * dim, 1));
    if (name === 'w4') values.fill(0, 3 * OUTPUTS);
    model.graph.initializers.set(name, float32Tensor(dims, values));
  }
  model.graph.inputs = model.graph.inputs.filter(({ name }) => !(name in WEIGHTS));
  return (await runPasses(model, compactConvNet())).model;
}

const data: CalibrationData = {
  samples: Array.from(
    { length: 16 },
    (_, seed) => new Map([['x', float32Tensor([1, 4, 6, 6], seededRandom(seed + 1).normal(144))]]),
  ),
  open: (model) => ({
    run: (sample, want, emit) =>
      evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
    close: () => {},
  }),
};

it('prices what does not reach the outputs far below what does', async () => {
  const float = await network();
  const chains = await priceChains(float, { ...data, pull: 1, positions: 36 });
  expect(chains.map(({ last }) => last.outputs[0])).toEqual(['c', 'e']);
  const [seen = NaN, unseen = NaN] = chains.map(({ costs }) => costs.reduce((sum, cost) => sum + cost, 0));
  expect(seen).toBeGreaterThan(0.005);
  expect(unseen).toBeGreaterThan(0);
  expect(unseen).toBeLessThan(0.15 * seen);
});

it('measures outputs before their Softmax', async () => {
  const float = await network();
  const weight = float.graph.initializers.get('w4')!;
  const changed = await network();
  const larger = (await network()).graph.initializers.get('w4') as typeof weight & { data: Uint8Array };
  new Float32Array(larger.data.buffer, larger.data.byteOffset, 3 * OUTPUTS).forEach((value, at, all) => {
    all[at] = 1.25 * value;
  });
  changed.graph.initializers.set('w4', larger);
  const error = await OutputError.of(float, data);
  expect(await error.measure(float)).toBe(0);
  expect(await error.measure(changed)).toBeCloseTo(0.25 ** 2, 5);
});
