import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describeWithAssets, repoRoot, sharedAsset } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  evaluateDim,
  externalDataFrom,
  parseModel,
  printModel,
  randomTensor,
  readOnnx,
  validateModel,
  writeOnnx,
  type Model,
  type ValueInfo,
} from '../src/index.ts';
import { runOnnx, type Feeds } from './onnxruntime.ts';

const EXPORTS = join(repoRoot, 'packages', 'compiler', 'test', 'fixtures', 'exports');

const SHARED = [
  'models/audio/dtln_model_1.onnx',
  'models/audio/dtln_model_2.onnx',
  'models/audio/kwt1_raw_audio.onnx',
  'models/audio/mlperf_tiny_ad_autoencoder.onnx',
  'models/audio/mlperf_tiny_kws_dscnn.onnx',
  'models/audio/silero_vad.onnx',
  'models/audio/silero_vad_16k_op15.onnx',
  'models/detection/fastestdet.onnx',
  'models/detection/ultraface_rfb_320.onnx',
  'models/detection/yolox_nano.onnx',
  'models/detection/yunet_n_320.onnx',
  'models/detection/yunet_n_dynamic.onnx',
  'models/text/movie_review_avg_embedding.onnx',
  'models/text/stories260K.onnx',
  'models/vision/mlperf_tiny_resnet8_cifar10.onnx',
  'models/vision/mlperf_tiny_vww_mobilenetv1_0.25_96.onnx',
  'models/vision/mnist-8.onnx',
  'models/vision/mobilenet_v1_0.25_224.onnx',
  'models/vision/mobilenet_v2_1.0_224_deq.onnx',
  'models/vision/resnet20_cifar10.onnx',
  'models/vision/resnet32_cifar10.onnx',
  'models/vision/squeezenet_v1.0_deepcompressed.onnx',
  'models/vision/super_resolution_3x.onnx',
  'own/sst2-base/model.onnx',
  'own/sst2-tiny/model.onnx',
];

/** Sizes for symbolic dimensions; the rest get 7. Only silero_vad leaves some unnamed: its batch. */
const SIZES: ReadonlyMap<string, number> = new Map([
  ['N', 1],
  ['batch', 1],
  ['height', 128],
  ['width', 96],
]);
const OTHER_SIZE = 7;
const SAMPLES = 512; // what silero_vad takes at 16 kHz

/** Values of integer inputs: 0 to 9 is an id in every vocabulary. */
const RANGES: readonly (readonly [RegExp, readonly [number, number]])[] = [
  [/^sr$/, [16_000, 16_000]],
  [/mask|token_type/, [0, 1]],
];

describe('ONNX round trip', () => {
  it.each(readdirSync(EXPORTS).filter((name) => name.endsWith('.onnx')))('%s', async (name) => {
    await expectRoundTrip(join(EXPORTS, name));
  });
});

describeWithAssets('ONNX round trip of trained models', SHARED, () => {
  it.each(SHARED)('%s', async (path) => {
    await expectRoundTrip(sharedAsset(path));
  });

  it('covers every ONNX file there is', () => {
    const found = ['models', 'own'].flatMap((folder) =>
      readdirSync(sharedAsset(folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.onnx'))
        .map((path) => `${folder}/${path}`),
    );
    expect(found.toSorted()).toEqual(SHARED);
  });

  it('keeps weights as views on the file and copies them once into the result', () => {
    const bytes = new Uint8Array(readFileSync(sharedAsset('own/sst2-base/model.onnx')));
    const { graph } = readOnnx(bytes);
    const weights = [...graph.initializers.values()].filter((tensor) => tensor.kind === 'dense');
    expect(weights.length).toBeGreaterThan(80);
    expect(weights.every((tensor) => tensor.data.buffer === bytes.buffer)).toBe(true);
  });

  it('moves weights to external data that onnxruntime finds', async () => {
    const model = readOnnx(readFileSync(sharedAsset('own/sst2-tiny/model.onnx')));
    const { bytes, externalData } = writeOnnx(model, { external: { location: 'model.onnx.data' } });
    if (externalData === undefined) throw new Error('nothing became external');
    expect(bytes.length).toBeLessThan(150_000);
    const weights = Buffer.concat(externalData.parts);
    expect(weights.length).toBe(externalData.byteLength);
    const external = externalDataFrom(new Map([['model.onnx.data', weights]]));
    expect(isDeepStrictEqual(readOnnx(bytes, { external }), model)).toBe(true);

    const folder = mkdtempSync(join(tmpdir(), 'edgewise-'));
    try {
      writeFileSync(join(folder, 'model.onnx'), bytes);
      writeFileSync(join(folder, 'model.onnx.data'), weights);
      const feeds = randomFeeds(model);
      const expected = await runOnnx(readFileSync(sharedAsset('own/sst2-tiny/model.onnx')), feeds);
      expect(expected).toHaveProperty('outputs');
      expect(await runOnnx(join(folder, 'model.onnx'), feeds)).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function expectRoundTrip(path: string): Promise<void> {
  const original = readFileSync(path);
  const model = readOnnx(original, { file: basename(path) });
  expect(validateModel(model)).toEqual([]);
  const { bytes } = writeOnnx(model);
  expect(isDeepStrictEqual(readOnnx(bytes), model)).toBe(true);
  expectTextRoundTrip(model);

  const feeds = randomFeeds(model);
  const [before, after] = [await runOnnx(original, feeds), await runOnnx(bytes, feeds)];
  expect(before).toHaveProperty('outputs');
  expect(isDeepStrictEqual(after, before)).toBe(true);
}

/** Content that the text leaves out is replaced; graph, names, types and attributes must come back. */
function expectTextRoundTrip(model: Model): void {
  const text = printModel(model).replaceAll(/hash\(\w+\)/g, 'random(1)');
  expect(printModel(parseModel(text)) === text).toBe(true);
}

function randomFeeds({ graph }: Model): Feeds {
  const required = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return new Map(required.map((info, index) => [info.name, randomInput(info, index)]));
}

function randomInput({ name, type }: ValueInfo, seed: number): ReturnType<typeof randomTensor> {
  if (type?.kind !== 'tensor' || type.shape === undefined || type.dtype === 'string')
    throw new Error(`input ${name}`);
  const isAudio =
    name === 'input' && type.shape.length === 2 && type.shape.every((dim) => typeof dim !== 'number');
  const dims = type.shape.map((dim, axis) =>
    isAudio && axis === 1 ? SAMPLES : dim === null ? 1 : (evaluateDim(dim, SIZES) ?? OTHER_SIZE),
  );
  const range = RANGES.find(([pattern]) => pattern.test(name))?.[1];
  return randomTensor(type.dtype, dims, seed, range);
}
