import { expect, it } from 'vitest';
import { float32Tensor, parseModel, typedData, type DenseTensor } from '../ir/index.ts';
import { evaluateModel } from './evaluate-model.ts';

const POINTS = [-7, -2, -0.5, 0, 0.5, 2, 7];

/** Written out once more, from the papers and the ONNX specification. */
const EXPECTED: Readonly<Record<string, (x: number) => number>> = {
  'activation="none"': (x) => x,
  'activation="relu"': (x) => Math.max(0, x),
  'activation="clip" min=-1.0 max=6.0': (x) => Math.min(6, Math.max(-1, x)),
  'activation="leaky_relu" alpha=0.25': (x) => (x < 0 ? x / 4 : x),
  'activation="hard_swish"': (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
  'activation="hard_sigmoid" alpha=0.25 beta=0.5': (x) => Math.min(1, Math.max(0, x / 4 + 0.5)),
  'activation="silu"': (x) => x / (1 + Math.exp(-x)),
  'activation="mish"': (x) => x * Math.tanh(Math.log(1 + Math.exp(x))),
  'activation="sigmoid"': (x) => 1 / (1 + Math.exp(-x)),
  'activation="tanh"': Math.tanh,
};

it.each(Object.entries(EXPECTED))('edgewise.Conv with %s', (attributes, activation) => {
  const y = run(attributes);
  for (const [i, x] of POINTS.entries()) expect(y[i]).toBeCloseTo(activation(2 * x + 1), 5);
});

it('names the activations when there is no such one', () => {
  expect(() => run('activation="elu"')).toThrow(/unknown activation "elu"/);
});

/** Factor 2 and bias 1 on one channel. */
function run(attributes: string): Float32Array {
  const model = parseModel(`graph main {
  input x: float32[1,1,1,${POINTS.length}]
  constant w: float32[1,1,1,1] {2}
  constant b: float32[1] {1}
  y = edgewise.Conv(x, w, b) ${attributes}
  output y
}`);
  const x = float32Tensor([1, 1, 1, POINTS.length], POINTS);
  const y = evaluateModel(model, new Map([['x', x]])).get('y');
  return typedData(y as DenseTensor & { dtype: 'float32' });
}
