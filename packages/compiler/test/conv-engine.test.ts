import { createSession, type SessionOptions } from '@edgewise/runtime/node';
import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, parseModel, type Model } from '../src/ir/index.ts';
import { compactQuantizedNet } from '../src/quantize/index.ts';
import { operatorName, runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { runOnnx } from './onnxruntime.ts';
import { quantizedNetwork, type NetworkOptions } from './quantized-network.ts';

// Quantized convolutional networks on the engine give the bits of onnxruntime on the same graph.

const NETWORKS: Readonly<Record<string, NetworkOptions>> = {
  'inverted residuals': {
    seed: 1,
    image: [3, 33, 30],
    layers: [
      { kind: 'conv', filters: 16, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      { kind: 'conv', filters: 16, kernel: [3, 3], pads: [1, 1, 1, 1], depthwise: true },
      { kind: 'conv', filters: 24, kernel: [1, 1] },
      { kind: 'conv', filters: 72, kernel: [1, 1] },
      { kind: 'conv', filters: 72, kernel: [5, 5], pads: [2, 2, 2, 2], depthwise: true },
      { kind: 'conv', filters: 24, kernel: [1, 1] },
      { kind: 'add', back: 3 },
      { kind: 'conv', filters: 24, kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], depthwise: true },
      { kind: 'conv', filters: 40, kernel: [1, 1] },
    ],
  },
  'odd sizes, dilation and uneven padding': {
    seed: 2,
    image: [1, 19, 23],
    layers: [
      { kind: 'conv', filters: 5, kernel: [2, 3], pads: [1, 0, 0, 2] },
      { kind: 'conv', filters: 7, kernel: [3, 3], dilations: [2, 2], pads: [2, 2, 2, 2] },
      { kind: 'conv', filters: 7, kernel: [3, 2], strides: [1, 2], pads: [1, 1, 1, 0], depthwise: true },
      { kind: 'conv', filters: 33, kernel: [1, 1], strides: [2, 2] },
    ],
  },
  'groups of any number and size of channels': {
    seed: 5,
    image: [3, 21, 18],
    layers: [
      { kind: 'conv', filters: 12, kernel: [3, 3], pads: [1, 1, 1, 1], groups: 3 },
      { kind: 'conv', filters: 20, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], groups: 4 },
      { kind: 'conv', filters: 40, kernel: [1, 1], groups: 2 },
      { kind: 'max-pool', kernel: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1] },
      { kind: 'conv', filters: 40, kernel: [1, 3], pads: [0, 1, 0, 1], groups: 20 },
      { kind: 'add', back: 1 },
    ],
  },
  'branches, pooling and a matrix': {
    seed: 4,
    image: [3, 31, 29],
    layers: [
      { kind: 'conv', filters: 20, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
      { kind: 'max-pool', kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], ceil: true },
      { kind: 'conv', filters: 11, kernel: [1, 1] },
      { kind: 'conv', filters: 13, kernel: [3, 3], pads: [1, 1, 1, 1] },
      { kind: 'concat', back: 1 },
      { kind: 'max-pool', kernel: [2, 3], strides: [1, 2], pads: [1, 1, 0, 1] },
      { kind: 'concat', back: 0 },
    ],
    classes: 19,
  },
  'residual blocks by tiles, on sides that no tile divides': {
    seed: 8,
    image: [12, 19, 13],
    layers: [
      { kind: 'conv', filters: 16, kernel: [3, 3], pads: [1, 1, 1, 1] },
      { kind: 'conv', filters: 16, kernel: [3, 3], pads: [1, 1, 1, 1] },
      { kind: 'add', back: 1 },
      { kind: 'conv', filters: 21, kernel: [3, 3], pads: [2, 0, 1, 3] },
      { kind: 'conv', filters: 10, kernel: [1, 1] },
      { kind: 'conv', filters: 10, kernel: [3, 3], pads: [1, 1, 1, 1] },
      { kind: 'concat', back: 1 },
    ],
  },
  'a matrix into floats': {
    seed: 6,
    image: [3, 9, 9],
    layers: [{ kind: 'conv', filters: 21, kernel: [3, 3], pads: [1, 1, 1, 1] }],
    classes: 11,
    floatLogits: true,
  },
  'one pixel': {
    seed: 3,
    image: [20, 1, 1],
    layers: [
      { kind: 'conv', filters: 9, kernel: [1, 1] },
      { kind: 'conv', filters: 9, kernel: [3, 3], pads: [1, 1, 1, 1], depthwise: true },
    ],
  },
};

const QDQ = `ir 8
opset ai.onnx 13
graph main {
  input image: float32[1,3,13,11]
  constant sx: float32[] {0.03}
  constant zx: int8[] {-11}
  constant sw: float32[] {0.01}
  constant zw: int8[] {0}
  constant sv: float32[] {0.01}
  constant zv: int8[] {0}
  constant sa: float32[] {0.0613}
  constant za: int8[] {-128}
  constant sy: float32[] {0.4037}
  constant zy: int8[] {7}
  xq = QuantizeLinear(image, sx, zx)
  xf = DequantizeLinear(xq, sx, zx)
  wf = DequantizeLinear(w, sw, zw)
  c = Conv(xf, wf) kernel_shape=[3, 3] pads=[1, 1, 1, 1]
  r = Relu(c)
  aq = QuantizeLinear(r, sa, za)
  af = DequantizeLinear(aq, sa, za)
  vf = DequantizeLinear(v, sv, zv)
  d = Conv(af, vf) kernel_shape=[3, 3] pads=[1, 1, 1, 1]
  dq = QuantizeLinear(d, sy, zy)
  df = DequantizeLinear(dq, sy, zy)
  s = Add(df, af)
  sq = QuantizeLinear(s, sy, zy)
  output = DequantizeLinear(sq, sy, zy)
  output output: float32[1,16,13,11]
}`;

const VARIANTS: readonly SessionOptions[] = [
  { rung: 'simd', threads: 1 },
  { rung: 'relaxed', threads: 1 },
  { rung: 'relaxed', mode: 'i16', threads: 1 },
  { rung: 'simd', threads: 2 },
  { rung: 'relaxed', threads: 3 },
  { rung: 'simd', threads: 4 },
];

describe.each(Object.keys(NETWORKS))('%s', (name) => {
  it('gives the bits of onnxruntime on every rung and number of threads', async () => {
    const model = quantizedNetwork(NETWORKS[name]!);
    const image = seededRandom(7).normal(inputSize(model), 0, 1.5);
    const expected = await onnxruntime(model, image);
    // Saturated everywhere would agree with anything.
    expect(new Set(expected).size).toBeGreaterThan(expected.length / 4);
    const { model: edge, files } = compileEdge(model);
    const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
    for (const options of VARIANTS) {
      const session = await createSession(packaged, options);
      const { output } = await session.run({ image });
      expect({ options, output: [...output!.data] }).toEqual({ options, output: [...expected] });
      session.dispose();
    }
  });
});

it('a network quantized by others, in int8 between QuantizeLinear and DequantizeLinear', async () => {
  const random = seededRandom(9);
  const bytes = (dims: readonly number[]) =>
    denseTensor(
      'int8',
      dims,
      Int8Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.int(-100, 100)),
    );
  const model = parseModel(QDQ);
  model.graph.initializers.set('w', bytes([16, 3, 3, 3])).set('v', bytes([16, 16, 3, 3]));
  const image = random.normal(3 * 13 * 11, 0, 1.5);
  const expected = await onnxruntime(model, image);
  expect(new Set(expected).size).toBeGreaterThan(expected.length / 16);
  const { model: compact } = await runPasses(model, compactQuantizedNet());
  expect(compact.graph.nodes.map(operatorName)).toEqual([
    'QuantizeLinear',
    'QLinearConv',
    'QLinearConv',
    'com.microsoft.QLinearAdd',
    'DequantizeLinear',
  ]);
  const { model: edge, files } = compileEdge(compact);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
  const session = await createSession(packaged);
  const { output } = await session.run({ image });
  expect([...output!.data]).toEqual([...expected]);
  session.dispose();
});

it('takes an image of the declared size only', async () => {
  const model = quantizedNetwork(NETWORKS['one pixel']!);
  const { model: edge, files } = compileEdge(model);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
  const session = await createSession(packaged);
  await expect(session.run({ image: new Float32Array(3) })).rejects.toThrow('takes 20 values, not 3');
  session.dispose();
});

function inputSize(model: Model): number {
  const type = model.graph.inputs[0]!.type!;
  const shape = type.kind === 'tensor' ? (type.shape as number[]) : [];
  return shape.reduce((product, dim) => product * dim, 1);
}

async function onnxruntime(model: Model, image: Float32Array): Promise<Float32Array> {
  const type = model.graph.inputs[0]!.type!;
  const shape = type.kind === 'tensor' ? (type.shape as number[]) : [];
  const outcome = await runOnnx(
    writeOnnx(model).bytes,
    new Map([['image', denseTensor('float32', shape, image)]]),
    { graphOptimizationLevel: 'all' },
  );
  if ('failure' in outcome) throw new Error(outcome.failure);
  return outcome.outputs['output']!.data as Float32Array;
}
