import { readFileSync } from 'node:fs';
import { describeWithAssets, expectTensorClose, seededRandom, sharedAsset } from '@edgewise/test-utils';
import { Tensor as OrtTensor, type InferenceSession } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { cloneModel, elementCount, validateModel, type Model, type ValueInfo } from '../src/ir/index.ts';
import {
  eliminateCommonSubexpressions,
  foldConstants,
  mergeInitializers,
  removeDeadCode,
  removeIdentity,
  simplifyShapes,
} from '../src/transforms/index.ts';
import { runOnnx } from './run-onnx.ts';

/** Real networks of many kinds and exporters: convolutions, recurrent cells, subgraphs, detection heads. */
const MODELS = [
  'audio/dtln_model_1',
  'audio/kwt1_raw_audio',
  'audio/mlperf_tiny_kws_dscnn',
  'audio/silero_vad',
  'audio/silero_vad_16k_op15',
  'detection/fastestdet',
  'detection/yolox_nano',
  'detection/yunet_n_dynamic',
  'text/stories260K',
  'vision/mlperf_tiny_resnet8_cifar10',
  'vision/resnet20_cifar10',
  'vision/super_resolution_3x',
].map((name) => `models/${name}.onnx`);

const TRANSFORMS = [
  foldConstants(),
  removeIdentity(),
  simplifyShapes(),
  foldConstants(),
  eliminateCommonSubexpressions(),
  mergeInitializers(),
  removeDeadCode(),
];

describeWithAssets('lossless transforms on real networks', MODELS, () => {
  it.each(MODELS)('%s computes the same in onnxruntime', async (path) => {
    const bytes = readFileSync(sharedAsset(path));
    const model = readOnnx(bytes);
    const smaller = cloneModel(model);
    for (const transform of TRANSFORMS) transform.apply(smaller);
    expect(validateModel(smaller).filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(smaller.graph.nodes.length).toBeLessThanOrEqual(model.graph.nodes.length);

    const inputs = sampleInputs(model);
    const expected = await runOnnx(bytes, inputs);
    const actual = await runOnnx(writeOnnx(smaller).bytes, inputs);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, tensor] of Object.entries(expected)) {
      expect(actual[name]?.dims).toEqual(tensor.dims);
      // Folding rounds on our evaluator instead of onnxruntime's kernels: a unit in the last place, then amplified.
      expectTensorClose(numbers(actual[name]), numbers(tensor), { abs: 1e-5, rel: 1e-4, label: name });
    }
  });
});

function sampleInputs({ graph }: Model): Record<string, OrtTensor> {
  const random = seededRandom(1);
  const fed = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return Object.fromEntries(fed.map((info) => [info.name, sampleInput(info, random)]));
}

function sampleInput({ name, type }: ValueInfo, random: ReturnType<typeof seededRandom>): OrtTensor {
  if (type?.kind !== 'tensor' || type.shape === undefined) throw new Error(`${name} has no shape`);
  const dims = type.shape.map((dim, axis) => {
    if (typeof dim === 'number') return dim;
    return name === 'input' && axis === 1 && type.shape?.length === 2 ? AUDIO_SAMPLES : 1;
  });
  const count = elementCount(dims);
  if (type.dtype === 'int64') {
    const value = name === 'sr' ? 16_000n : 1n;
    return new OrtTensor(
      'int64',
      BigInt64Array.from({ length: count }, () => value),
      dims,
    );
  }
  return new OrtTensor('float32', random.normal(count), dims);
}

/** Samples in one step of the voice activity models, whose inputs do not declare it. */
const AUDIO_SAMPLES = 512;

function numbers(value: InferenceSession.OnnxValueMapType[string] | undefined): ArrayLike<number | bigint> {
  if (value === undefined || !('data' in value)) throw new Error('expected a tensor');
  return value.data as ArrayLike<number | bigint>;
}
