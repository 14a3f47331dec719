import { readFileSync } from 'node:fs';
import type { FileContent } from '@edgewise/runtime/format';
import { createSession, type Session } from '@edgewise/runtime/node';
import { expectTensorClose, itWithAssets, seededRandom, sharedAsset } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { float32Tensor, parseModel, typedData, type DenseTensor, type Model } from '../src/ir/index.ts';
import { costNodes, evaluateModel, inferTypes } from '../src/ops/index.ts';
import { convChains } from '../src/prune/channels/conv-chains.ts';
import { pruneChannels, removeChannels, type CalibrationData } from '../src/prune/index.ts';
import type { Sample } from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import {
  buildPackage,
  compileActivations,
  compileEdge,
  expandEdgewise,
  type EdgeArtifact,
} from '../src/targets/index.ts';
import { compactConvNet } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

// Sums over fewer terms in another order, of outputs up to about 10.
const TOLERANCE = { abs: 1e-4, rel: 1e-5 };

/** Channels of `a` go through a pooling, those of `e` through a depthwise convolution; those of `s` meet a sum. */
const NETWORK = `ir 8
opset ai.onnx 14

graph main {
  input image: float32[1,3,12,12]
  a0 = Conv(image, w0, b0) pads=[1, 1, 1, 1] kernel_shape=[3, 3]
  a = Relu(a0)
  p = MaxPool(a) kernel_shape=[2, 2] strides=[2, 2]
  s = Conv(p, w1, b1) pads=[1, 1, 1, 1] kernel_shape=[3, 3]
  e0 = Conv(s, w2, b2) kernel_shape=[1, 1]
  e = Relu(e0)
  f0 = Conv(e, w3, b3) strides=[2, 2] pads=[1, 1, 1, 1] kernel_shape=[3, 3] group=32
  f = Relu(f0)
  c = Conv(f, w4) kernel_shape=[1, 1]
  r = MaxPool(s) kernel_shape=[2, 2] strides=[2, 2]
  d = Add(c, r)
  g = GlobalAveragePool(d)
  h = Flatten(g) axis=1
  y = Gemm(h, w5, b5) transB=1
  output y: float32[1,7]
}
`;

const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  w0: [16, 3, 3, 3],
  b0: [16],
  w1: [12, 16, 3, 3],
  b1: [12],
  w2: [32, 12, 1, 1],
  b2: [32],
  w3: [32, 1, 3, 3],
  b3: [32],
  w4: [12, 32, 1, 1],
  w5: [7, 12],
  b5: [7],
};

/** The second half of the filters of `w0`, `w2` and `w3` repeats the first half. */
async function network(): Promise<Model> {
  const declared = Object.entries(WEIGHTS).map(([name, dims]) => `input ${name}: float32[${dims.join()}]`);
  const text = NETWORK.replace('  a0 =', `  ${declared.join('\n  ')}\n  a0 =`);
  const model = parseModel(text);
  const random = seededRandom(5);
  for (const [name, dims] of Object.entries(WEIGHTS)) {
    const values = random.normal(
      dims.reduce((product, dim) => product * dim, 1),
      0,
      0.4,
    );
    if (['w0', 'b0', 'w2', 'b2', 'w3', 'b3'].includes(name)) {
      const half = values.length / 2;
      for (let i = 0; i < half; i++) values[half + i] = values[i]!;
    }
    model.graph.initializers.set(name, float32Tensor(dims, values));
  }
  model.graph.inputs = model.graph.inputs.filter(({ name }) => !(name in WEIGHTS));
  return (await runPasses(model, compactConvNet())).model;
}

const reference: CalibrationData['open'] = (model) => ({
  run: (sample, want, emit) =>
    evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
  close: () => {},
});

const samples = Array.from({ length: 12 }, (_, seed) => imageOf(seed + 1));
const calibration = { open: reference, samples };

function imageOf(seed: number): Map<string, DenseTensor> {
  return new Map([['image', float32Tensor([1, 3, 12, 12], seededRandom(seed).normal(432))]]);
}

async function open({ model, files }: EdgeArtifact<FileContent>): Promise<Session> {
  const description = { name: 'test', task: 'test' };
  return createSession(await buildPackage({ description, model, files }), { threads: 1 });
}

const engine: CalibrationData['open'] = async (model, values) => {
  const session = await open(compileActivations(model, values, {}));
  return {
    run: async (sample, want, emit) => {
      const outputs = await session.run(feedsOf(sample));
      for (const name of want) emit(name, float32Tensor(outputs[name]!.shape, outputs[name]!.data));
    },
    close: () => session.dispose(),
  };
};

function feedsOf(sample: Sample): Record<string, Float32Array> {
  return Object.fromEntries(
    [...sample].map(([name, tensor]) => [name, typedData(tensor as DenseTensor) as Float32Array]),
  );
}

function outputOf(model: Model, sample: ReadonlyMap<string, DenseTensor>): Float32Array {
  return typedData(evaluateModel(model, sample).get('y') as DenseTensor) as Float32Array;
}

function macsOf(model: Model): number {
  return costNodes(model, inferTypes(model), new Map()).reduce((sum, { macs }) => sum + (macs ?? 0), 0);
}

it('finds the channels that only one convolution reads', async () => {
  const chains = convChains(await network());
  expect(chains.map(({ first, last }) => [first.outputs[0], last.outputs[0]])).toEqual([
    ['a', 's'],
    ['e', 'c'],
  ]);
});

it('makes up for channels that repeat others, and gives the same in onnxruntime and in our engine', async () => {
  const float = await network();
  const options = { ...calibration, macs: 0.55, pull: 1e-3 };
  const { model } = await pruneChannels(float, options);
  const plain = await pruneChannels(float, { ...options, repair: false });
  expect(macsOf(model)).toBeLessThanOrEqual(0.55 * macsOf(float));
  const sample = imageOf(99);
  const expected = outputOf(float, sample);
  expectTensorClose(outputOf(model, sample), expected, { abs: 0.01 });
  const off = outputOf(plain.model, sample).map((value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...off)).toBeGreaterThan(0.1);

  const outcome = await runOnnx(writeOnnx(expandEdgewise(model)).bytes, sample);
  if ('failure' in outcome) throw new Error(outcome.failure);
  expectTensorClose(outcome.outputs['y']!.data as Float32Array, outputOf(model, sample), TOLERANCE);
  const session = await open(compileEdge(model));
  const { y } = await session.run(feedsOf(sample));
  session.dispose();
  expectTensorClose(y!.data as Float32Array, outputOf(model, sample), TOLERANCE);
});

it('says what cannot be removed', async () => {
  const float = await network();
  await expect(pruneChannels(float, { ...calibration, macs: 0 })).rejects.toThrow('macs must be a share');
  await expect(pruneChannels(float, { ...calibration, macs: 0.01 })).rejects.toThrow('cannot go');
  await expect(runPasses(float, [removeChannels({ value: 's', keep: [0] })])).rejects.toThrow(
    'cannot be removed',
  );
});

const RESNET = 'models/vision/resnet20_cifar10.onnx';
const CIFAR = 'datasets/cifar10/mlperf_ic01_lossless_200.bin';
const LEARNT = 48;
const ANSWERED = 32;

itWithAssets(
  'takes 30 % of the multiply-accumulates of a trained network, which goes on answering alike, in onnxruntime and in our engine',
  [RESNET, CIFAR],
  async () => {
    const compact = await runPasses(readOnnx(readFileSync(sharedAsset(RESNET))), compactConvNet());
    const float = compact.model;
    const input = float.graph.inputs[0]!.name;
    const images = readCifar().map((image) => new Map([[input, float32Tensor([1, 3, 32, 32], image)]]));
    const options = { open: engine, samples: images.slice(0, LEARNT), macs: 0.7, positions: 32 };
    const { model, macs } = await pruneChannels(float, options);
    expect(macsOf(model)).toBeLessThanOrEqual(0.7 * macsOf(float));
    expect(macs).toBeCloseTo(macsOf(model) / macsOf(float), 10);

    const [bytes, before, after] = [
      writeOnnx(expandEdgewise(model)).bytes,
      await open(compileEdge(float)),
      await open(compileEdge(model)),
    ];
    let alike = 0;
    for (const image of images.slice(LEARNT, LEARNT + ANSWERED)) {
      const outcome = await runOnnx(bytes, image);
      if ('failure' in outcome) throw new Error(outcome.failure);
      const [expected] = Object.values(outcome.outputs);
      const [[was], [is]] = [
        Object.values(await before.run(feedsOf(image))),
        Object.values(await after.run(feedsOf(image))),
      ];
      expectTensorClose(is!.data as Float32Array, expected!.data as Float32Array, TOLERANCE);
      if (argmax(is!.data) === argmax(was!.data)) alike++;
    }
    before.dispose();
    after.dispose();
    expect(alike).toBeGreaterThanOrEqual(0.8 * ANSWERED);
  },
  180_000,
);

/** As the network was trained: ImageNet's mean and deviation. */
function readCifar(): Float32Array[] {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const bytes = readFileSync(sharedAsset(CIFAR));
  return Array.from({ length: bytes.length / 3073 }, (_, i) =>
    Float32Array.from(bytes.subarray(i * 3073 + 1, (i + 1) * 3073), (value, at) => {
      const channel = Math.floor(at / 1024);
      return (value / 255 - mean[channel]!) / deviation[channel]!;
    }),
  );
}

function argmax(scores: Float32Array | Int32Array): number {
  return scores.indexOf(Math.max(...scores));
}
