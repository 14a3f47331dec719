import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, itWithAssets, seededRandom, sharedAsset } from '@edgewise/test-utils';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, type DenseTensor, type Model } from '../src/ir/index.ts';
import { inferTypes } from '../src/ops/index.ts';
import {
  convNetValues,
  observeConvNet,
  quantizeConvNet,
  separateActivations,
  type ActivationRunner,
} from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge, expandEdgewise } from '../src/targets/index.ts';
import { compactConvNet, tabulateBytes } from '../src/transforms/index.ts';
import { runOnnx } from './onnxruntime.ts';

// Real convolutional networks, quantized statically: on the engine every byte is what native onnxruntime computes.

/** Of exp and division in the float tail of a network: softmax, sigmoid, the decoding of boxes. */
const FLOAT_TAIL = { abs: 1e-6, rel: 1e-6 };

/** Models, and whether all of their output comes out of bytes. */
const MODELS: Readonly<Record<string, 'bytes' | 'float tail'>> = {
  'vision/mnist-8': 'bytes',
  'vision/resnet20_cifar10': 'bytes',
  'vision/super_resolution_3x': 'bytes',
  'vision/mobilenet_v2_1.0_224_deq': 'float tail',
  'vision/squeezenet_v1.0_deepcompressed': 'float tail',
  'vision/mlperf_tiny_resnet8_cifar10': 'float tail',
  'detection/yolox_nano': 'float tail',
  'detection/fastestdet': 'float tail',
  'detection/ultraface_rfb_320': 'float tail',
  'detection/yunet_n_320': 'float tail',
  'audio/mlperf_tiny_kws_dscnn': 'float tail',
  'audio/mlperf_tiny_ad_autoencoder': 'bytes',
};

for (const [name, kind] of Object.entries(MODELS)) {
  const asset = `models/${name}.onnx`;
  itWithAssets(`${name} in int8 on the engine`, asset, async () => {
    const { model, image } = await quantize(readOnnx(readFileSync(sharedAsset(asset))));
    const watched = kind === 'bytes' ? model : withByteOutputs(model);
    const outcome = await runOnnx(writeOnnx(expandEdgewise(watched)).bytes, image, {
      graphOptimizationLevel: 'all',
    });
    if ('failure' in outcome) throw new Error(outcome.failure);

    const { model: edge, files } = compileEdge(watched);
    const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
    const [input, tensor] = [...image][0]!;
    const x = new Float32Array(tensor.data.buffer as ArrayBuffer);
    for (const options of [
      { rung: 'simd', threads: 1 },
      { rung: 'relaxed', threads: 2 },
    ] as const) {
      const session = await createSession(packaged, options);
      const results = await session.run({ [input]: x });
      session.dispose();
      for (const { name: output } of watched.graph.outputs) {
        const [actual, expected] = [results[output]!, outcome.outputs[output]!];
        expect(actual.shape).toEqual(expected.dims);
        const isOfBytes = kind === 'bytes' || !model.graph.outputs.some((own) => own.name === output);
        const numbers = expected.data as Float32Array;
        expectTensorClose(actual.data, numbers, { ...(isOfBytes ? { abs: 0 } : FLOAT_TAIL), label: output });
      }
    }
  });
}

/** A model with ranges from random images, and another image. */
async function quantize(original: Model): Promise<{ model: Model; image: Map<string, DenseTensor> }> {
  const { model: float } = await runPasses(original, [...compactConvNet(), separateActivations()]);
  const input = float.graph.inputs.find(({ name }) => !float.graph.initializers.has(name))!;
  const shape = input.type?.kind === 'tensor' ? (input.type.shape as number[]) : [];
  const random = seededRandom(11);
  const count = shape.reduce((product, dim) => product * dim, 1);
  const images = [1, 2, 3].map(
    () => new Map([[input.name, denseTensor('float32', shape, random.normal(count))]]),
  );
  const statistics = await observeConvNet(float, runnerOf(float), images.slice(1));
  const { model } = await runPasses(float, [quantizeConvNet({ statistics, noiseLimit: 1 }), tabulateBytes()]);
  return { model, image: images[0]! };
}

/** Runs calibration in onnxruntime. */
function runnerOf(model: Model): ActivationRunner {
  const { types } = inferTypes(model);
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  const outputs = convNetValues(model)
    .filter((name) => !inputs.has(name))
    .map((name) => ({ name, type: types.get(name)! }));
  const { bytes } = writeOnnx(expandEdgewise({ ...model, graph: { ...model.graph, outputs } }));
  return async (sample, want, emit) => {
    const outcome = await runOnnx(bytes, sample as Map<string, DenseTensor>, {
      graphOptimizationLevel: 'all',
    });
    if ('failure' in outcome) throw new Error(outcome.failure);
    for (const [name, tensor] of sample) emit(name, tensor);
    for (const name of want) {
      const value = outcome.outputs[name];
      if (value) emit(name, denseTensor('float32', value.dims, value.data as Float32Array));
    }
  };
}

/** The model with all that comes out of bytes as outputs too. */
function withByteOutputs(model: Model): Model {
  const { types } = inferTypes(model);
  const names = model.graph.nodes
    .filter(
      ({ opType, inputs }) => opType === 'DequantizeLinear' || (opType === 'QGemm' && inputs.length < 8),
    )
    .map(({ outputs }) => outputs[0]!)
    .filter((name) => !model.graph.outputs.some((output) => output.name === name));
  const added = names.map((name) => ({ name, type: types.get(name)! }));
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...added] } };
}
