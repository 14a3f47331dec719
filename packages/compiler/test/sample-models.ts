import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { evaluateDim, randomTensor, type Model, type ValueInfo } from '../src/index.ts';
import type { Feeds } from './onnxruntime.ts';

/** Folder of the recorded PyTorch exports. */
export const EXPORTS: string = join(repoRoot, 'packages', 'compiler', 'test', 'fixtures', 'exports');

/** Every ONNX model among the shared assets. */
export const SHARED: readonly string[] = [
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

/** Seeded inputs that suit every sample model, by name; `sizes` are those of symbolic dims. */
export function randomFeeds({ graph }: Model, sizes: ReadonlyMap<string, number> = SIZES): Feeds {
  const required = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return new Map(required.map((info, index) => [info.name, randomInput(info, index, sizes)]));
}

function randomInput(
  { name, type }: ValueInfo,
  seed: number,
  sizes: ReadonlyMap<string, number>,
): ReturnType<typeof randomTensor> {
  if (type?.kind !== 'tensor' || type.shape === undefined || type.dtype === 'string')
    throw new Error(`input ${name}`);
  const isAudio =
    name === 'input' && type.shape.length === 2 && type.shape.every((dim) => typeof dim !== 'number');
  const dims = type.shape.map((dim, axis) =>
    isAudio && axis === 1 ? SAMPLES : dim === null ? 1 : (evaluateDim(dim, sizes) ?? OTHER_SIZE),
  );
  const range = RANGES.find(([pattern]) => pattern.test(name))?.[1];
  return randomTensor(type.dtype, dims, seed, range);
}
