import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { buildPackage, compileEdge, expandEdgewise } from '../src/targets/index.ts';
import { runOnnx } from './onnxruntime.ts';
import { quantizeOnNoise, withByteOutputs } from './quantize-on-noise.ts';

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
    const { model, image } = await quantizeOnNoise(readOnnx(readFileSync(sharedAsset(asset))));
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
