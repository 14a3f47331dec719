import { expectTensorClose, seededRandom, type SeededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { parseModel, randomTensor } from '../ir/index.ts';
import { evaluateModel, tensorNumbers } from '../ops/index.ts';
import { runPasses } from '../rewrite/index.ts';
import { splitConvTranspose } from './split-conv-transpose.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

it.each(SEEDS)('computes what ConvTranspose does, seed %i', async (seed) => {
  const { shape, text } = randomLayer(seededRandom(seed));
  const before = parseModel(text);
  const { model } = await runPasses(before, [splitConvTranspose()]);
  expect(model.graph.nodes[0]?.opType).toBe('Conv');
  const feeds = new Map([['x', randomTensor('float32', shape, seed)]]);
  const [expected, actual] = [before, model].map((each) => evaluateModel(each, feeds).get('y')!);
  expect(actual!.dims).toEqual(expected!.dims);
  expectTensorClose(tensorNumbers(actual!), tensorNumbers(expected!), { abs: 1e-5, rel: 1e-5, seed });
});

/** One or two axes, any window, padding given, following from a shape or from SAME. */
function randomLayer(random: SeededRandom): { shape: number[]; text: string } {
  const axes = random.int(1, 2);
  const list = (low: number, high: number, length = axes): number[] =>
    Array.from({ length }, () => random.int(low, high));
  const [groups, inGroup, filters] = [random.pick([1, 1, 2, 3]), random.int(1, 3), random.int(1, 3)];
  const [kernel, strides, dilations, extents] = [list(1, 5), list(1, 3), list(1, 2), list(2, 6)];
  const spans = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const pads = [...spans, ...spans].map((span) => random.int(0, Math.floor((span - 1) / 2)));
  const extra = strides.map((stride) => random.int(0, stride - 1));
  const natural = extents.map((extent, axis) => (extent - 1) * strides[axis]! + spans[axis]!);
  const isWhole = natural.every((extent, axis) => extent >= extents[axis]! * strides[axis]!);
  const padding = random.pick([
    `pads=[${pads.join()}] output_padding=[${extra.join()}]`,
    `output_shape=[${natural.map((extent) => Math.max(1, extent - random.int(0, 2))).join()}]`,
    isWhole ? `auto_pad="${random.pick(['SAME_UPPER', 'SAME_LOWER'])}"` : '',
  ]);
  const shape = [1, groups * inGroup, ...extents];
  const call = `ConvTranspose(x, w, b) group=${groups} strides=[${strides.join()}] dilations=[${dilations.join()}] ${padding}`;
  const text = `ir 8
opset ai.onnx 18

graph main {
  input x: float32[${shape.join()}]
  constant w: float32[${[groups * inGroup, filters, ...kernel].join()}] random(1)
  constant b: float32[${groups * filters}] random(2)
  y = ${call}
  output y
}`;
  return { shape, text };
}
