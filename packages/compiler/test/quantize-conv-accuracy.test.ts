import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { itWithAssets, sharedAsset } from '@edgewise/test-utils';
import sharp from 'sharp';
import { expect } from 'vitest';
import { preprocess } from '../../runtime/src/image/preprocess.ts';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import {
  denseTensor,
  float32Tensor,
  typedData,
  type DenseTensor,
  type Model,
  type Node,
} from '../src/ir/index.ts';
import { inferTypes } from '../src/ops/index.ts';
import {
  followFloat,
  observeConvNet,
  quantizeConvNet,
  separateActivations,
  type ActivationRunner,
  type ConvNetStatistics,
  type FollowReport,
  type QuantizeConvNetOptions,
} from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/onnx/index.ts';
import { compactConvNet } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

// A few real inputs; `benchmarks/run.mjs quantization` measures whole data sets.

type Input = Map<string, DenseTensor>;

const TIMEOUT_MS = 300_000;

async function compact(asset: string): Promise<Model> {
  const model = readOnnx(readFileSync(sharedAsset(asset)));
  return (await runPasses(model, [...compactConvNet(), separateActivations()])).model;
}

/** Hands over any values of a model, run by onnxruntime. */
function runnerOf(model: Model): ActivationRunner {
  const { types } = inferTypes(model);
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  return async (sample, want, emit) => {
    const outputs = want
      .filter((name) => !inputs.has(name))
      .map((name) => ({ name, type: types.get(name)! }));
    const { bytes } = writeOnnx(expandEdgewise({ ...model, graph: { ...model.graph, outputs } }));
    const outcome = await runOnnx(bytes, sample as Input, { graphOptimizationLevel: 'all' });
    if ('failure' in outcome) throw new Error(outcome.failure);
    for (const [name, { type, dims, data }] of Object.entries(outcome.outputs))
      emit(name, denseTensor(type as 'float32', dims, data as Float32Array));
    for (const [name, tensor] of sample) emit(name, tensor);
  };
}

async function follow(
  float: Model,
  statistics: ConvNetStatistics,
  samples: readonly Input[],
  options: Partial<QuantizeConvNetOptions> = {},
): Promise<{ report: FollowReport; kept: readonly (string | undefined)[] }> {
  const quantized = await runPasses(float, [quantizeConvNet({ statistics, ...options })]);
  const candidate = quantized.model;
  const report = await followFloat({
    float,
    runFloat: runnerOf(float),
    candidate,
    runCandidate: runnerOf(candidate),
    samples,
  });
  return { report, kept: quantized.diagnostics.map(({ at }) => at?.node) };
}

const outputDb = ({ values }: FollowReport): number => values.at(-1)?.signalToNoiseDb ?? NaN;

const KEYWORDS = 'datasets/kws-mfcc-int8/features.i8.bin';
const DSCNN = 'models/audio/mlperf_tiny_kws_dscnn.onnx';

itWithAssets(
  'a keyword spotter follows float with 8 and with 7 bits',
  [KEYWORDS, DSCNN],
  async () => {
    const bytes = new Int8Array(readFileSync(sharedAsset(KEYWORDS)));
    const clip = (i: number): Input => {
      const features = Float32Array.from(
        bytes.subarray(i * 490, (i + 1) * 490),
        (value) => (value - 83) * 0.5847029,
      );
      return new Map([['input', float32Tensor([1, 1, 49, 10], features)]]);
    };
    const float = await compact(DSCNN);
    const [calibration, samples] = [0, 10].map((first) =>
      Array.from({ length: 10 }, (_, i) => clip(first + i)),
    );
    const statistics = await observeConvNet(float, runnerOf(float), calibration!);
    for (const weightBits of [8, 7] as const) {
      const { report } = await follow(float, statistics, samples!, { weightBits });
      expect(report.follows).toBe(true);
      expect(outputDb(report)).toBeGreaterThan(18);
    }
  },
  TIMEOUT_MS,
);

const IMAGES = 'datasets/coco-calibration';
const YOLOX = 'models/detection/yolox_nano.onnx';

itWithAssets(
  'a detector with a wide first layer keeps it float, and follows float',
  [IMAGES, YOLOX],
  async () => {
    const folder = sharedAsset(IMAGES);
    const paths = readdirSync(folder).filter((name) => name.endsWith('.jpg')).sort().slice(0, 2); // prettier-ignore
    const inputs: Input[] = [];
    for (const path of paths) {
      const image = await sharp(join(folder, path)).raw().toBuffer({ resolveWithObject: true });
      const { input } = preprocess(
        { ...image.info, data: image.data, channels: 3 },
        {
          width: 416,
          height: 416,
          fit: { mode: 'letterbox', align: 'top-left', padding: 114, rounding: 'floor' },
          channels: 'BGR',
          layout: 'NCHW',
          dtype: 'float32',
          resample: 'bilinear',
        },
      );
      inputs.push(new Map([['images', float32Tensor(input.shape, input.data as Float32Array)]]));
    }
    const float = await compact(YOLOX);
    const statistics = await observeConvNet(float, runnerOf(float), inputs.slice(1));
    const mixed = await follow(float, statistics, inputs.slice(0, 1));
    expect(mixed.kept).toEqual(expect.arrayContaining(['Conv_41', 'Conv_44']));
    expect(mixed.kept.length).toBeLessThan(12);
    expect(mixed.report.follows).toBe(true);
    // 7.9 dB with every layer in 8 bits.
    expect(outputDb(mixed.report)).toBeGreaterThan(11);
  },
  TIMEOUT_MS,
);

const PHOTOS = 'datasets/imagenet-calibration';
const MOBILENET = 'models/vision/mobilenet_v1_0.25_224.onnx';

/** The middle of each photo, from -1 to 1. */
async function photos(count: number): Promise<Input[]> {
  const folder = sharedAsset(PHOTOS);
  const paths = readdirSync(folder).filter((name) => name.endsWith('.jpg')).sort().slice(0, count); // prettier-ignore
  return Promise.all(
    paths.map(async (path) => {
      const image = sharp(join(folder, path)).resize(224, 224, { fit: 'cover' }).removeAlpha();
      const pixels = await image.toColourspace('srgb').raw().toBuffer();
      const planes = Float32Array.from({ length: 3 * 224 * 224 }, (_, at) => {
        const [channel, pixel] = [Math.floor(at / (224 * 224)), at % (224 * 224)];
        return pixels[3 * pixel + channel]! / 127.5 - 1;
      });
      return new Map([['input', float32Tensor([1, 3, 224, 224], planes)]]);
    }),
  );
}

type Int8Weight = DenseTensor & { dtype: 'int8' };

const numbersOf = (model: Model, name: string): Float32Array =>
  typedData(model.graph.initializers.get(name) as DenseTensor & { dtype: 'float32' });

const weightOf = (model: Model, node: Node): Int8Weight =>
  model.graph.initializers.get(node.inputs[3] ?? '') as Int8Weight;

const layerOf = (model: Model, value: string): Node =>
  model.graph.nodes.find(({ outputs }) => outputs[0] === `${value}.quantized`)!;

/** What onnxruntime's quantizer does by default: one scale for all filters of a layer. */
function useOneScale(model: Model): void {
  const { initializers, nodes } = model.graph;
  for (const { opType, inputs } of nodes) {
    if (opType !== 'QLinearConv') continue;
    const [, , , weightName = '', scaleName = '', , , , biasName = ''] = inputs;
    const weight = initializers.get(weightName) as Int8Weight;
    const scales = numbersOf(model, scaleName);
    const length = typedData(weight).length / scales.length;
    const real = Float32Array.from(typedData(weight), (q, i) => q * scales[Math.floor(i / length)]!);
    const scale = real.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127;
    const bias = typedData(initializers.get(biasName) as DenseTensor & { dtype: 'int32' });
    initializers.set(weightName, denseTensor('int8', weight.dims, Int8Array.from(real, (w) => Math.round(w / scale)))); // prettier-ignore
    initializers.set(scaleName, float32Tensor([scales.length], new Float32Array(scales.length).fill(scale)));
    initializers.set(biasName, denseTensor('int32', [scales.length], bias.map((b, i) => Math.round((b * scales[i]!) / scale)))); // prettier-ignore
  }
}

itWithAssets(
  'what breaks a MobileNet is noticed, with the layer and the cause',
  [PHOTOS, MOBILENET],
  async () => {
    const float = await compact(MOBILENET);
    const inputs = await photos(12);
    const [samples, calibration] = [inputs.slice(0, 4), inputs.slice(4)];
    const statistics = await observeConvNet(float, runnerOf(float), calibration);
    const candidateOf = async (seen: ConvNetStatistics): Promise<Model> =>
      (await runPasses(float, [quantizeConvNet({ statistics: seen, activationRange: 'minmax', noiseLimit: 1 })])).model; // prettier-ignore
    const verdict = async (candidate: Model): Promise<string> => {
      const runCandidate = runnerOf(candidate);
      const report = await followFloat({
        float,
        runFloat: runnerOf(float),
        candidate,
        runCandidate,
        samples,
      });
      return report.diagnostics[0]?.message ?? 'follows';
    };
    expect(await verdict(await candidateOf(statistics))).toBe('follows');

    const oneScale = await candidateOf(statistics);
    useOneScale(oneScale);
    expect(await verdict(oneScale)).toMatch(
      /: conv1 \('conv1_relu'\) has a scale that is too coarse for \d of its 8 filters/,
    );

    const zeroed = await candidateOf(statistics);
    const dead = layerOf(zeroed, 'conv_pw_4_relu');
    const { dims, data } = weightOf(zeroed, dead);
    zeroed.graph.initializers.set(dead.inputs[3]!, denseTensor('int8', dims, new Int8Array(data.length)));
    expect(await verdict(zeroed)).toMatch(/: conv_pw_4 \('conv_pw_4_relu'\) has weights that are all zero/);

    const swapped = await candidateOf(statistics);
    const [a, b] = ['conv_pw_8_relu', 'conv_pw_9_relu'].map((value) => layerOf(swapped, value)) as [
      Node,
      Node,
    ];
    const [ofA, ofB] = [weightOf(swapped, a), weightOf(swapped, b)];
    swapped.graph.initializers.set(a.inputs[3]!, ofB);
    swapped.graph.initializers.set(b.inputs[3]!, ofA);
    expect(await verdict(swapped)).toMatch(
      /: conv_pw_[89] \('conv_pw_[89]_relu'\) has weights that are not the float layer's/,
    );

    // Pixels of 0…255 where the model wants -1…1.
    const bytes = calibration.map(
      (input) => new Map([['input', float32Tensor([1, 3, 224, 224], numbersOfInput(input))]]),
    );
    const wrong = await candidateOf(await observeConvNet(float, runnerOf(float), bytes));
    expect(await verdict(wrong)).toMatch(
      /: the input 'input' has a range of 0 … 255 where the float model reaches -1 … 1: it was calibrated on other data/,
    );
  },
  TIMEOUT_MS,
);

function numbersOfInput(input: Input): Float32Array {
  return typedData(input.get('input') as DenseTensor & { dtype: 'float32' }).map((x) => (x + 1) * 127.5);
}
