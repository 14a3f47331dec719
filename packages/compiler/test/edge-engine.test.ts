import { readFileSync } from 'node:fs';
import { createSession, type SessionOptions } from '@edgewise/runtime/node';
import { expectTensorClose } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, typedData, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import { quantizeEmbeddings, quantizeLinears, quantizeWeightsInt4 } from '../src/quantize/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { compactEncoder } from '../src/transforms/index.ts';

const MAX_SEQUENCE = 40;

/** One of each architecture and of each option that changes the graph. */
const EXPORTS = [
  'distilbert-legacy-sdpa',
  'bert-legacy-eager',
  'bert-cls-gelu-new-dynamo-sdpa',
  'distilbert-relu-legacy-sdpa',
  'distilbert-multilabel-dynamo-eager',
  'minilm-legacy-sdpa',
  'roberta-legacy-eager',
];

const RECIPES: Readonly<Record<string, () => Transform[]>> = {
  float32: () => [],
  'W7 dynamic': () => [quantizeLinears({ weightBits: 7 }), quantizeEmbeddings({ bits: 8 })],
  'W8 dynamic': () => [quantizeLinears({ weightBits: 8 }), quantizeEmbeddings({ bits: 4 })],
  'int4 storage': () => [quantizeWeightsInt4(), quantizeEmbeddings({ bits: 4 })],
};

// The references sum in another order than the engine's lanes: about 1e-7 of the values, which are below 4. The token ids are
// such that no quantized activation lies on a rounding boundary; on one, the reference differs from itself by a whole
// step of 255 when a single weight moves by one ulp, and says nothing about the engine.
const TOLERANCE = { abs: 5e-6, rel: 5e-6 };
const ID_OFFSET = 4;

describe.each(EXPORTS)('engine on %s', (name) => {
  it.each(Object.keys(RECIPES))('%s agrees with the reference evaluation', async (recipe) => {
    const model = await compact(name, RECIPES[recipe]!());
    const files = await packageOf(model);
    const session = await createSession(files);
    for (const { mask, ids } of inputsOf()) {
      const actual = await session.run({ input_ids: ids, attention_mask: mask });
      const expected = evaluateModel(model, tensors(model, ids, mask));
      for (const [output, { data, shape }] of Object.entries(actual)) {
        expect(shape).toEqual(expected.get(output)?.dims);
        expectTensorClose(data, floats(expected.get(output)), {
          ...TOLERANCE,
          label: `${output}, ${ids.length} tokens`,
        });
      }
    }
    session.dispose();
  });

  it.each(Object.keys(RECIPES))(
    '%s is bit-identical on every rung, mode and thread count',
    async (recipe) => {
      const model = await compact(name, RECIPES[recipe]!());
      const files = await packageOf(model);
      const reference = await runAll(files, { rung: 'simd', threads: 1 });
      const variants: SessionOptions[] = [
        { rung: 'relaxed', threads: 1 },
        { rung: 'relaxed', mode: 'i16', threads: 1 },
        { rung: 'relaxed', threads: 2 },
        { rung: 'simd', threads: 3 },
      ];
      for (const options of variants) {
        expect({ options, outputs: await runAll(files, options) }).toEqual({ options, outputs: reference });
      }
    },
  );
});

async function compact(name: string, more: readonly Transform[]): Promise<Model> {
  const bytes = readFileSync(new URL(`fixtures/exports/${name}.onnx`, import.meta.url));
  const { model, diagnostics } = await runPasses(readOnnx(bytes), [...compactEncoder(), ...more]);
  expect(diagnostics).toEqual([]);
  return model;
}

async function packageOf(model: Model): Promise<Map<string, Uint8Array>> {
  const { model: edge, files } = compileEdge(model, { maxSequence: MAX_SEQUENCE });
  return buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
}

async function runAll(files: ReadonlyMap<string, Uint8Array>, options: SessionOptions): Promise<unknown> {
  const session = await createSession(files, options);
  const outputs = [];
  for (const { ids, mask } of inputsOf()) {
    outputs.push(await session.run({ input_ids: ids, attention_mask: mask }));
  }
  session.dispose();
  return outputs;
}

/** Lengths around the sizes of tiles, panels and blocks; one of them with dropped keys in the middle and at the end. */
function inputsOf(): { ids: number[]; mask: number[] }[] {
  return [1, 2, 7, 8, 9, 33, MAX_SEQUENCE].map((length) => ({
    ids: Array.from({ length }, (_, i) => 2 + ((i * 37 + length + ID_OFFSET) % 90)),
    mask: Array.from({ length }, (_, i) => (length === 9 && (i === 4 || i === 8) ? 0 : 1)),
  }));
}

function tensors(model: Model, ids: number[], mask: number[]): Map<string, Tensor> {
  const values: Record<string, number[]> = {
    input_ids: ids,
    attention_mask: mask,
    token_type_ids: ids.map(() => 0),
  };
  return new Map(
    model.graph.inputs.map(({ name }) => [
      name,
      denseTensor('int64', [1, ids.length], BigInt64Array.from(values[name] ?? [], BigInt)),
    ]),
  );
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.kind !== 'dense') throw new Error('the reference has no such output');
  return typedData(tensor) as Float32Array;
}
