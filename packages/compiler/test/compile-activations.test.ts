import { readFileSync } from 'node:fs';
import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, repoRoot, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { float32Tensor, int64Tensor, type Model, type Tensor } from '../src/ir/index.ts';
import { createEvaluator } from '../src/ops/index.ts';
import {
  linearInputs,
  observeActivations,
  type ActivationRunner,
  type ActivationStatistics,
} from '../src/quantize/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileActivations } from '../src/targets/index.ts';
import { edgeEncoder } from '../src/transforms/index.ts';

/** float32 sums in the engine's order against float64 sums: about 1e-6 of a value's largest number. */
const OF_RANGE = 1e-5;
const OF_MEAN_SQUARE = 1e-4;

const MODELS: Readonly<Record<string, string>> = {
  sentiment: `${repoRoot}/models/sentiment/model.onnx`,
  minilm: `${repoRoot}/packages/compiler/test/fixtures/exports/minilm-legacy-sdpa.onnx`,
  roberta: `${repoRoot}/packages/compiler/test/fixtures/exports/roberta-legacy-eager.onnx`,
};

async function compactModel(name: string): Promise<Model> {
  return (await runPasses(readOnnx(readFileSync(MODELS[name] ?? '')), edgeEncoder())).model;
}

function samplesFor(model: Model): ReadonlyMap<string, Tensor>[] {
  const random = seededRandom(5);
  return [3, 8, 17, 30].map((length) => {
    const ids = Array.from({ length }, () => random.int(3, 90));
    const known: Record<string, number[]> = {
      input_ids: ids,
      attention_mask: ids.map(() => 1),
      token_type_ids: ids.map(() => 0),
    };
    return new Map(
      model.graph.inputs.map(({ name }) => [name, int64Tensor([1, length], known[name] ?? [])] as const),
    );
  });
}

async function onEngine(model: Model, use: (run: ActivationRunner) => Promise<ActivationStatistics>) {
  const artifact = compileActivations(model, linearInputs(model), { maxSequence: 30 });
  const files = await buildPackage({ description: { name: 'test', task: 'test' }, ...artifact });
  const session = await createSession(files);
  try {
    return await use(async (sample, want, emit) => {
      const feeds = session.inputs.map(({ name }) => {
        const tensor = sample.get(name) as ReturnType<typeof int64Tensor>;
        return [name, Array.from(new BigInt64Array(tensor.data.slice().buffer), Number)] as const;
      });
      const outputs = await session.run(Object.fromEntries(feeds));
      for (const name of want) {
        const output = outputs[name];
        if (output) emit(name, float32Tensor(output.shape, output.data));
      }
    });
  } finally {
    session.dispose();
  }
}

describe.each(Object.keys(MODELS))('activations of %s on the engine', (name) => {
  it('are those of the reference evaluator, and so are ranges and second moments', async () => {
    const model = await compactModel(name);
    const samples = samplesFor(model);
    const evaluate = createEvaluator();
    const expected = await observeActivations(
      model,
      (sample, want, emit) =>
        evaluate(model, sample, { want }).forEach((tensor, value) => emit(value, tensor)),
      samples,
    );
    const actual = await onEngine(model, (run) => observeActivations(model, run, samples));
    expect([...actual.ranges.keys()]).toEqual([...expected.ranges.keys()]);
    expect(actual.ranges.size).toBeGreaterThan(5);
    const worst = Math.max(
      ...[...expected.ranges].map(([value, { min, max }]) => {
        const found = actual.ranges.get(value) ?? { min: NaN, max: NaN };
        return Math.max(Math.abs(found.min - min), Math.abs(found.max - max)) / Math.max(max, -min);
      }),
    );
    expect(worst).toBeLessThan(OF_RANGE);
    for (const [value, moments] of expected.moments) {
      const squares = moments.meanSquares();
      expectTensorClose(actual.moments.get(value)?.meanSquares() ?? [], squares, {
        abs: OF_MEAN_SQUARE * 1e-3 * Math.max(...squares),
        rel: OF_MEAN_SQUARE,
        label: value,
      });
    }
  });
});

it('refuses a model that the engine cannot run, and leaves it as it is', () => {
  const raw = readOnnx(readFileSync(MODELS['minilm'] ?? ''));
  const outputs = raw.graph.outputs.map(({ name }) => name);
  expect(() => compileActivations(raw, outputs, { maxSequence: 8 })).toThrow(/no kernel/);
  expect(raw.graph.outputs.map(({ name }) => name)).toEqual(outputs);
});
