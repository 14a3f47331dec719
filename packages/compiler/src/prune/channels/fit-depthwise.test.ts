import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type Float32Tensor, type Model } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { runPasses } from '../../rewrite/index.ts';
import { compactConvNet } from '../../transforms/index.ts';
import { forgiveCut } from './conv-sums.ts';
import { fitDepthwise } from './fit-depthwise.ts';
import { Relay } from './relay.ts';
import type { CalibrationData } from '../run-together.ts';

const CHANNELS = 3;
const NETWORK = `ir 8
opset ai.onnx 14

graph main {
  input x: float32[1,2,6,6]
  input w0: float32[3,2,1,1]
  input w1: float32[3,1,3,3]
  input b1: float32[3]
  a0 = Conv(x, w0) kernel_shape=[1, 1]
  a = Relu(a0)
  b = Conv(a, w1, b1) group=3 pads=[1, 1, 1, 1] strides=[2, 2] kernel_shape=[3, 3]
  y = Conv(b, w2) kernel_shape=[1, 1]
  output y: float32[1,1,3,3]
}
`;

/** @param factors of the filters of the first convolution */
async function network(factors: readonly number[]): Promise<Model> {
  const model = parseModel(NETWORK.replace('  a0 =', '  input w2: float32[1,3,1,1]\n  a0 ='));
  const random = seededRandom(8);
  const first = random.normal(CHANNELS * 2).map((value, at) => value * factors[Math.floor(at / 2)]!);
  const { initializers } = model.graph;
  initializers.set('w0', float32Tensor([CHANNELS, 2, 1, 1], first));
  initializers.set('w1', float32Tensor([CHANNELS, 1, 3, 3], random.normal(CHANNELS * 9)));
  initializers.set('b1', float32Tensor([CHANNELS], random.normal(CHANNELS)));
  initializers.set('w2', float32Tensor([1, CHANNELS, 1, 1], random.normal(CHANNELS)));
  model.graph.inputs = model.graph.inputs.filter(({ name }) => name === 'x');
  return (await runPasses(model, compactConvNet())).model;
}

const data: CalibrationData = {
  samples: Array.from(
    { length: 16 },
    (_, seed) => new Map([['x', float32Tensor([1, 2, 6, 6], seededRandom(seed + 1).normal(72))]]),
  ),
  open: (model) => ({
    run: (sample, want, emit) =>
      evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
    close: () => {},
  }),
};

it('finds the filters that undo what changed before them, channel by channel', async () => {
  const factors = [2, 0.5, 1.25];
  const [float, model] = [await network([1, 1, 1]), await network(factors)];
  const options = { float, model, value: 'b', remove: 0, pull: 1e-4, positions: 8 };
  const { weight, bias, keep } = await fitDepthwise(options, new Relay(float, data, new Set()));
  const [was, wasBias] = ['w1', 'b1'].map((name) =>
    typedData(float.graph.initializers.get(name) as Float32Tensor),
  );
  // Products are summed in float32.
  const expected = was!.map((value, at) => value / factors[Math.floor(at / 9)]!);
  expectTensorClose(weight, expected, { abs: 1e-4, rel: 1e-4 });
  expectTensorClose(bias, wasBias!, { abs: 1e-4, rel: 1e-4 });
  expect(keep).toEqual([0, 1, 2]);
});

it('changes nothing where the data say nothing against it', async () => {
  const float = await network([1, 1, 1]);
  const options = { float, model: float, value: 'b', remove: 0, pull: 1500, positions: 8 };
  const { weight, bias } = await fitDepthwise(options, new Relay(float, data, new Set()));
  const [was, wasBias] = ['w1', 'b1'].map((name) =>
    typedData(float.graph.initializers.get(name) as Float32Tensor),
  );
  expectTensorClose(weight, was!, { abs: 1e-5 });
  expectTensorClose(bias, wasBias!, { abs: 1e-5 });
});

it('leaves alone what the activation cuts off in both', () => {
  const wanted = Float32Array.of(-3, -3, 0, 2, 6, 9, 9, 9);
  const made = Float32Array.of(-5, 1, -1, 7, 8, 7, 6, 4);
  expect([...forgiveCut(wanted, made, [0, 6])]).toEqual([-5, 0, -1, 2, 8, 7, 6, 6]);
  expect([...forgiveCut(wanted, made, [-Infinity, Infinity])]).toEqual([...wanted]);
});
