import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type DenseTensor, type Model } from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import type { Sample } from '../../quantize/index.ts';
import { Relay } from './relay.ts';
import { behindWaist, waistsOf } from './waists.ts';

/** `early` is an output, `b` is read by `c` and added to it. */
const NETWORK = `ir 8
opset ai.onnx 14

graph main {
  input x: float32[1,3,4,4]
  constant w: float32[3,1,1,1] {0.5, -2, 1}
  a = Conv(x, w) group=3 kernel_shape=[1, 1]
  b = Tanh(a)
  c = Conv(b, w) group=3 kernel_shape=[1, 1]
  d = Add(c, b)
  early = Relu(d)
  e = Tanh(early)
  y = Sigmoid(e)
  output y: float32[1,3,4,4]
}
`;

const samples: readonly Sample[] = [1, 2, 3].map(
  (seed) => new Map([['x', float32Tensor([1, 3, 4, 4], seededRandom(seed).normal(48))]]),
);

function valuesOf(model: Model, sample: Sample, want: readonly string[]): Float32Array[] {
  const found = evaluateModel(model, sample, { want });
  return want.map((name) => typedData(found.get(name) as DenseTensor) as Float32Array);
}

it('finds what all that follows is computed from', () => {
  expect(waistsOf(parseModel(NETWORK))).toEqual(['a', 'b', 'd', 'early', 'e', 'y']);
  const twoOutputs = NETWORK.replace('output y', 'output early: float32[1,3,4,4]\n  output y');
  expect(waistsOf(parseModel(twoOutputs))).toEqual(['a', 'b', 'd', 'early']);
});

it('goes on from there as the whole model does', () => {
  const model = parseModel(NETWORK);
  const [sample] = samples;
  const [b, expected] = valuesOf(model, sample!, ['b', 'y']);
  const part = behindWaist(model, 'b');
  expect(part.graph.nodes.map(({ outputs }) => outputs[0])).toEqual(['c', 'd', 'early', 'e', 'y']);
  const [y] = valuesOf(part, new Map([['b', float32Tensor([1, 3, 4, 4], b!)]]), ['y']);
  expectTensorClose(y!, expected!, { abs: 0 });
});

it('hands over the same values of two models wherever it starts', async () => {
  const float = parseModel(NETWORK);
  const model = parseModel(NETWORK.replace('{0.5, -2, 1}', '{0.25, -1.5, 1.25}'));
  const starts: string[] = [];
  const data = {
    samples,
    open: (opened: Model) => {
      starts.push(opened.graph.inputs.map(({ name }) => name).join());
      return {
        run: (sample: Sample, want: readonly string[], emit: (name: string, tensor: DenseTensor) => void) =>
          evaluateModel(opened, sample, { want }).forEach((tensor, name) =>
            emit(name, tensor as DenseTensor),
          ),
        close: () => {},
      };
    },
  };
  const relay = new Relay(float, data, new Set(['d']));
  for (const values of [
    ['a', 'b'],
    ['b', 'c'],
    ['d', 'e'],
    ['e', 'y'],
  ]) {
    let at = 0;
    await relay.run({ model: float, values }, { model, values }, ([wanted = [], found = []]) => {
      const sample = samples[at++]!;
      for (const [i, expected] of valuesOf(float, sample, values).entries())
        expectTensorClose(wanted[i]!, expected, { abs: 0 });
      for (const [i, expected] of valuesOf(model, sample, values).entries())
        expectTensorClose(found[i]!, expected, { abs: 0 });
    });
    expect(at).toBe(samples.length);
  }
  // In pairs: on the way to the waist, and from there. `d` is passed over.
  expect(starts.filter((_, at) => at % 2 === 0)).toEqual(['x', 'a', 'a', 'b', 'b', 'b', 'e']);
});
