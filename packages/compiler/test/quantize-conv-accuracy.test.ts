import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { itWithAssets, sharedAsset } from '@edgewise/test-utils';
import sharp from 'sharp';
import { expect } from 'vitest';
import { preprocess } from '../../runtime/src/image/preprocess.ts';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, float32Tensor, type DenseTensor, type Model } from '../src/ir/index.ts';
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

// A few real inputs; `benchmarks/run.mjs vision-accuracy` measures whole data sets.

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
