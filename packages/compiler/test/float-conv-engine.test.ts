import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, itWithAssets, seededRandom, sharedAsset } from '@edgewise/test-utils';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, float32Tensor, parseModel, type Model } from '../src/ir/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { compactConvNet } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

// Float32 convolutional networks on the engine: the numbers of onnxruntime up to rounding, the same bits on both rungs.

/** Sums in another order through up to 113 layers, of an output's largest number; and a sigmoid of its own. */
const TOLERANCE = { ofLargest: 1e-4, abs: 1e-6 };

const NETWORK = `ir 8
opset ai.onnx 14

graph main {
  input image: float32[1,3,15,18]
  constant low: float32[] {0}
  constant six: float32[] {6}
  a0 = Conv(image, w0, b0) strides=[2, 2] pads=[1, 1, 1, 1] kernel_shape=[3, 3]
  a = Clip(a0, low, six)
  b0_ = Conv(a, w1, b1) pads=[1, 1, 1, 1] kernel_shape=[3, 3] group=10
  b = HardSwish(b0_)
  c = Conv(b, w2) kernel_shape=[1, 1]
  d = Add(c, a)
  e = MaxPool(d) kernel_shape=[3, 3] strides=[2, 2] pads=[0, 0, 1, 1]
  f0 = Conv(e, w3, b3) dilations=[2, 2] pads=[2, 2, 2, 2] kernel_shape=[3, 3]
  f = LeakyRelu(f0) alpha=0.1
  g = Concat(e, f) axis=1
  h = GlobalAveragePool(g)
  r = Flatten(h) axis=1
  s = Gemm(r, w4, b4) transB=1
  y = Softmax(s) axis=1
  output y: float32[1,7]
}
`;

const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  w0: [10, 3, 3, 3],
  b0: [10],
  w1: [10, 1, 3, 3],
  b1: [10],
  w2: [10, 10, 1, 1],
  w3: [5, 10, 3, 3],
  b3: [5],
  w4: [7, 15],
  b4: [7],
};

it('a network with every kind of layer', async () => {
  await expectSameAsOnnxruntime(smallNetwork());
});

const MODELS = [
  'vision/mobilenet_v1_0.25_224',
  'vision/mobilenet_v2_1.0_224_deq',
  'vision/squeezenet_v1.0_deepcompressed',
  'vision/mlperf_tiny_resnet8_cifar10',
  'vision/mlperf_tiny_vww_mobilenetv1_0.25_96',
  'vision/mnist-8',
  'vision/resnet20_cifar10',
  'vision/resnet32_cifar10',
  'vision/super_resolution_3x',
  'detection/yolox_nano',
  'detection/fastestdet',
  'detection/ultraface_rfb_320',
  'detection/yunet_n_320',
  'audio/mlperf_tiny_kws_dscnn',
  'audio/mlperf_tiny_ad_autoencoder',
];

for (const name of MODELS) {
  const asset = `models/${name}.onnx`;
  itWithAssets(`${name} on the engine`, asset, () =>
    expectSameAsOnnxruntime(readOnnx(readFileSync(sharedAsset(asset)))),
  );
}

function smallNetwork(): Model {
  const declared = Object.entries(WEIGHTS).map(([name, dims]) => `input ${name}: float32[${dims.join()}]`);
  const model = parseModel(NETWORK.replace('  constant low', `  ${declared.join('\n  ')}\n  constant low`));
  const random = seededRandom(5);
  for (const [name, dims] of Object.entries(WEIGHTS)) {
    const count = dims.reduce((product, dim) => product * dim, 1);
    model.graph.initializers.set(name, float32Tensor(dims, random.normal(count, 0, 0.4)));
  }
  model.graph.inputs = model.graph.inputs.filter(({ name }) => !(name in WEIGHTS));
  return model;
}

async function expectSameAsOnnxruntime(original: Model): Promise<void> {
  const { model, diagnostics } = await runPasses(original, compactConvNet());
  expect(diagnostics).toEqual([]);
  const input = model.graph.inputs.find(({ name }) => !model.graph.initializers.has(name))!;
  const shape = input.type?.kind === 'tensor' ? (input.type.shape as number[]) : [];
  const x = seededRandom(3).normal(
    shape.reduce((product, dim) => product * dim, 1),
    0,
    1,
  );
  const feeds = new Map([[input.name, denseTensor('float32', shape, x)]]);
  const outcome = await runOnnx(writeOnnx(original).bytes, feeds, { graphOptimizationLevel: 'all' });
  if ('failure' in outcome) throw new Error(outcome.failure);

  const { model: edge, files } = compileEdge(model);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
  const runs = [];
  for (const options of [
    { rung: 'simd', threads: 1 },
    { rung: 'relaxed', threads: 2 },
  ] as const) {
    const session = await createSession(packaged, options);
    runs.push(await session.run({ [input.name]: x }));
    session.dispose();
  }
  const [plain, relaxed] = runs;
  expect(relaxed).toEqual(plain);
  for (const [name, { shape: dims, data }] of Object.entries(plain!)) {
    const expected = outcome.outputs[name]!;
    expect(dims).toEqual(expected.dims);
    const numbers = expected.data as Float32Array;
    const largest = numbers.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    expectTensorClose(data, numbers, {
      abs: Math.max(TOLERANCE.abs, TOLERANCE.ofLargest * largest),
      label: name,
    });
  }
}
