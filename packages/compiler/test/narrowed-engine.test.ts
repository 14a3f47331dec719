import { readFileSync } from 'node:fs';
import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { int64Tensor, typedData, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import { quantizeLinears } from '../src/quantize/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { compactEncoder, narrowSequence } from '../src/transforms/index.ts';

// Sums in another order, about 1e-7 of values below 4; a quantized activation may move by one of 255 steps.
const TOLERANCE = { float32: { abs: 2e-6, rel: 2e-6 }, W7: { abs: 4e-3, rel: 4e-3 } };

const RECIPES: Readonly<Record<keyof typeof TOLERANCE, () => Transform[]>> = {
  float32: () => [],
  W7: () => [quantizeLinears({ weightBits: 7 })],
};

describe.each(['distilbert-dynamo-sdpa', 'bert-cls-legacy-eager', 'roberta-legacy-sdpa'])(
  'engine on the narrowed %s',
  (name) => {
    it.each(['float32', 'W7'] as const)('%s agrees with the reference evaluation', async (recipe) => {
      const model = await narrowed(name, RECIPES[recipe]());
      const { model: edge, files } = compileEdge(model, { maxSequence: 24 });
      const package_ = await buildPackage({
        description: { name: 'test', task: 'test' },
        model: edge,
        files,
      });
      const session = await createSession(package_, { threads: 1 });
      const random = seededRandom(5);
      for (const length of [1, 2, 7, 24]) {
        const ids = Array.from({ length }, () => random.int(2, 90));
        const mask = Array.from({ length }, (_, i) => (i < (length + 2) / 2 ? 1 : 0));
        const actual = await session.run({
          input_ids: Int32Array.from(ids),
          attention_mask: Int32Array.from(mask),
        });
        const expected = evaluateModel(model, feeds(model, ids, mask));
        for (const [output, { data }] of Object.entries(actual))
          expectTensorClose(data, floats(expected.get(output)), {
            ...TOLERANCE[recipe],
            label: `${output}, ${length} tokens`,
          });
      }
      session.dispose();
    });
  },
);

async function narrowed(name: string, more: readonly Transform[]): Promise<Model> {
  const bytes = readFileSync(new URL(`fixtures/exports/${name}.onnx`, import.meta.url));
  const passes = [...compactEncoder(), narrowSequence(), ...more];
  const { model, steps } = await runPasses(readOnnx(bytes), passes);
  expect(steps.find((step) => step.name === 'narrowSequence')?.edits).toBeGreaterThan(5);
  return model;
}

function feeds({ graph }: Model, ids: readonly number[], mask: readonly number[]): Map<string, Tensor> {
  const rows: Readonly<Record<string, readonly number[]>> = { input_ids: ids, attention_mask: mask };
  return new Map(
    graph.inputs.map(({ name }) => [name, int64Tensor([1, ids.length], rows[name] ?? ids.map(() => 0))]),
  );
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.kind !== 'dense' || tensor.dtype !== 'float32') throw new Error('expected a float32 output');
  return typedData({ ...tensor, dtype: 'float32' });
}
