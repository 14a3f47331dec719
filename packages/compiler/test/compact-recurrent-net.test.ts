import { readFileSync } from 'node:fs';
import { describeWithAssets, expectTensorClose, sharedAsset } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, type Model } from '../src/ir/index.ts';
import { operatorName, runPasses } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/onnx/index.ts';
import { compactRecurrentNet, type CompactRecurrentNetOptions } from '../src/transforms/index.ts';
import { runOnnx, type Feeds, type OutputTensor } from './onnxruntime.ts';
import { randomFeeds } from './sample-models.ts';

const SILERO = { settings: { sr: 16_000 }, dims: { batch: 1, sequence: 576 } };
const SILERO_COUNTS = {
  Pad: 1, Unsqueeze: 5, 'edgewise.Conv': 5, Slice: 2, Mul: 2, Add: 1, Sqrt: 1, Gather: 2, Reshape: 1, LSTM: 1, Flatten: 2,
  Concat: 1, Relu: 1, 'edgewise.Linear': 1,
}; // prettier-ignore

const MODELS: readonly (readonly [string, CompactRecurrentNetOptions, Readonly<Record<string, number>>])[] = [
  ['silero_vad_16k_op15', SILERO, SILERO_COUNTS],
  ['dtln_model_1', {}, { Transpose: 4, Slice: 4, Reshape: 4, LSTM: 2, Squeeze: 2, Concat: 3, Unsqueeze: 2, 'edgewise.Linear': 1 }],
  [
    'dtln_model_2',
    {},
    {
      Transpose: 2, Slice: 4, Flatten: 7, 'edgewise.LayerNorm': 1, Split: 2, Unsqueeze: 14, LSTM: 2, Squeeze: 4,
      Concat: 3, 'edgewise.Linear': 3, Reshape: 1, Add: 1, Sigmoid: 1, Mul: 1,
    },
  ],
]; // prettier-ignore

/** Of the output's largest number: sums in another order through at most eight layers. */
const TOLERANCE = 2e-5;

const path = (name: string): string => `models/audio/${name}.onnx`;
describeWithAssets(
  'compactRecurrentNet',
  MODELS.map(([name]) => path(name)),
  () => {
    it.each(MODELS)('%s: compact, and the same in onnxruntime', async (name, options, counts) => {
      const bytes = readFileSync(sharedAsset(path(name)));
      const { model: compact, diagnostics } = await runPasses(readOnnx(bytes), compactRecurrentNet(options));
      expect(diagnostics).toEqual([]);
      expect(countsOf(compact)).toEqual(counts);

      const inputs = randomFeeds(compact);
      const rate = denseTensor('int64', [], BigInt64Array.of(16_000n));
      const feeds: Feeds = options.settings ? new Map([...inputs, ['sr', rate]]) : inputs;
      const expected = await runOnnx(bytes, feeds);
      const actual = await runOnnx(writeOnnx(expandEdgewise(compact)).bytes, inputs);
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
  },
);

function countsOf({ graph }: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of graph.nodes) counts[operatorName(node)] = (counts[operatorName(node)] ?? 0) + 1;
  return counts;
}

function numbers(tensor: OutputTensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('expected a float32 output');
  return tensor.data;
}
