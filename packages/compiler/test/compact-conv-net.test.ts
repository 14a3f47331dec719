import { readFileSync } from 'node:fs';
import { describeWithAssets, expectTensorClose, sharedAsset } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { operatorName, runPasses } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/onnx/index.ts';
import { compactConvNet } from '../src/transforms/index.ts';
import { stringAttribute } from '../src/transforms/node-attributes.ts';
import type { Model, Node } from '../src/ir/index.ts';
import { runOnnx, type OutputTensor } from './onnxruntime.ts';
import { randomFeeds } from './sample-models.ts';

/**
 * Every convolutional network of the shared assets with what the compact graph holds. Activations are joined to the operator
 * that computes them: `Conv relu`.
 */
const MODELS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'vision/mlperf_tiny_resnet8_cifar10': {
    'Conv relu': 4, Conv: 5, Add: 3, Relu: 3, GlobalAveragePool: 1, Flatten: 1, Linear: 1, Softmax: 1,
  },
  'vision/mlperf_tiny_vww_mobilenetv1_0.25_96': {
    'Conv relu': 27, GlobalAveragePool: 1, Flatten: 1, Linear: 1, Softmax: 1,
  },
  'vision/mnist-8': { 'Conv relu': 2, MaxPool: 2, Flatten: 1, Linear: 1 },
  'vision/mobilenet_v1_0.25_224': { 'Conv clip': 27, GlobalAveragePool: 1, Flatten: 1, Linear: 1 },
  'vision/mobilenet_v2_1.0_224_deq': {
    'Conv clip': 35, Conv: 17, Add: 10, GlobalAveragePool: 1, Flatten: 1, Linear: 1, Softmax: 1,
  },
  'vision/resnet20_cifar10': {
    'Conv relu': 10, Conv: 9, Add: 9, Relu: 9, Slice: 2, Pad: 2, GlobalAveragePool: 1, Flatten: 1, Linear: 1,
  },
  'vision/resnet32_cifar10': {
    'Conv relu': 16, Conv: 15, Add: 15, Relu: 15, Slice: 2, Pad: 2, GlobalAveragePool: 1, Flatten: 1, Linear: 1,
  },
  'vision/squeezenet_v1.0_deepcompressed': {
    'Conv relu': 26, MaxPool: 3, Concat: 8, GlobalAveragePool: 1, Flatten: 1, Softmax: 1,
  },
  'vision/super_resolution_3x': { 'Conv relu': 3, Conv: 1, Reshape: 2, Transpose: 1 },
  'detection/fastestdet': {
    'Conv relu': 47, Conv: 22, 'Conv sigmoid': 1, MaxPool: 1, AveragePool: 1, Resize: 1, Concat: 19, Reshape: 26,
    Transpose: 15, Gather: 26, Add: 1, Relu: 1, Softmax: 1,
  },
  'detection/ultraface_rfb_320': {
    'Conv relu': 36, Conv: 16, Concat: 5, Add: 3, Relu: 1, Transpose: 8, Reshape: 8, Softmax: 1, Slice: 6, Mul: 4,
    Exp: 1, Div: 2, Sub: 1,
  },
  'detection/yolox_nano': {
    'Conv silu': 104, Conv: 3, 'Conv sigmoid': 6, Slice: 6, Concat: 18, Add: 7, MaxPool: 3, Resize: 2, Reshape: 3,
    Transpose: 1,
  },
  'detection/yunet_n_320': {
    'Conv relu': 18, Conv: 41, MaxPool: 4, Resize: 2, Add: 2, Transpose: 12, Reshape: 12, Sigmoid: 6,
  },
  'detection/yunet_n_dynamic': {
    'Conv relu': 18, Conv: 41, MaxPool: 4, Resize: 2, Add: 2, Transpose: 12, Reshape: 12, Sigmoid: 6,
  },
  'audio/mlperf_tiny_kws_dscnn': { 'Conv relu': 9, GlobalAveragePool: 1, Flatten: 1, Linear: 1, Softmax: 1 },
  'audio/mlperf_tiny_ad_autoencoder': { 'Linear relu': 9, Linear: 1 },
}; // prettier-ignore

/** Batch 1 and the extents that the dynamic detector is fixed to. */
const SIZES = new Map([['N', 1], ['batch', 1], ['height', 128], ['width', 96]]); // prettier-ignore

/** Random weights of another order of rounding through up to 70 layers, of the output's largest number. */
const TOLERANCE = 2e-5;

const path = (name: string): string => `models/${name}.onnx`;

describeWithAssets('compactConvNet', Object.keys(MODELS).map(path), () => {
  it.each(Object.entries(MODELS))('%s: compact, and the same in onnxruntime', async (name, counts) => {
    const bytes = readFileSync(sharedAsset(path(name)));
    const model = readOnnx(bytes);
    const dims = name.endsWith('dynamic') ? { height: 128, width: 96 } : {};
    const { model: compact, diagnostics } = await runPasses(model, compactConvNet({ dims }));
    expect(diagnostics).toEqual([]);
    expect(countsOf(compact)).toEqual(counts);

    const feeds = randomFeeds(model, SIZES);
    const expected = await runOnnx(bytes, feeds);
    const actual = await runOnnx(writeOnnx(expandEdgewise(compact)).bytes, randomFeeds(compact));
    if (!('outputs' in expected) || !('outputs' in actual))
      throw new Error(
        [expected, actual].map((outcome) => ('failure' in outcome ? outcome.failure : '')).join(),
      );
    expect(Object.keys(actual.outputs)).toEqual(Object.keys(expected.outputs));
    for (const [output, tensor] of Object.entries(expected.outputs)) {
      const reference = numbers(tensor);
      const largest = reference.reduce((top, x) => Math.max(top, Math.abs(x)), 0);
      expect(actual.outputs[output]?.dims).toEqual(tensor.dims);
      expectTensorClose(numbers(actual.outputs[output]), reference, {
        abs: TOLERANCE * largest,
        label: output,
      });
    }
  });
});

function countsOf({ graph }: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of graph.nodes) {
    const name = describeNode(node);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function describeNode(node: Node): string {
  const activation = stringAttribute(node, 'activation', 'none');
  const name = operatorName(node).replace('edgewise.', '');
  return activation === 'none' ? name : `${name} ${activation}`;
}

function numbers(tensor: OutputTensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('expected a float32 output');
  return tensor.data;
}
