import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSession } from '@edgewise/runtime/node';
import { loadTokenizer, type Encode } from '@edgewise/runtime/tokenizer';
import { repoRoot, sharedAsset } from '@edgewise/test-utils';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { int64Tensor, type Model, type Tensor } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import {
  mseObserver,
  observeActivations,
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  type ActivationStatistics,
} from '../src/quantize/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { compactEncoder } from '../src/transforms/index.ts';

const MAX_TOKENS = 128;

interface Scheme {
  readonly name: string;
  readonly passes: (statistics: ActivationStatistics) => Transform[];
  /** Largest mean |logit − float logit| and least share of equal answers; about twice and half of what was measured. */
  readonly error: number;
  readonly agreement: number;
  /** In points. */
  readonly largestDrop: number;
}

const int8 = (weightBits: 7 | 8, isStatic: boolean): Scheme => ({
  name: `W${weightBits}A8 ${isStatic ? 'static' : 'dynamic'}, int8 embeddings`,
  passes: ({ ranges }) => [
    quantizeLinears({ weightBits, ...(isStatic && { activations: 'static', ranges }) }),
    quantizeEmbeddings(),
  ],
  error: 0.006,
  agreement: 0.99,
  largestDrop: 0.3,
});

const SCHEMES: readonly Scheme[] = [
  int8(7, false),
  int8(7, true),
  int8(8, false),
  int8(8, true),
  {
    name: 'weights and embeddings stored in 4 bits',
    passes: () => [quantizeWeightsInt4(), quantizeEmbeddings({ bits: 4 })],
    error: 0.08,
    agreement: 0.97,
    largestDrop: 1,
  },
  {
    name: 'weights in 3 bits, rounded together',
    passes: ({ moments }) => [quantizeWeightsInt4({ weightBits: 3, moments }), quantizeEmbeddings()],
    error: 0.017,
    agreement: 0.985,
    largestDrop: 1,
  },
];

interface Sentence {
  readonly ids: readonly number[];
  readonly gold: number;
}

const sentiment = join(repoRoot, 'models', 'sentiment');

describe.each([
  { model: 'sentiment', folder: sentiment, sentences: Infinity, calibration: 48 },
  { model: 'sst2-base', folder: sharedAsset('own/sst2-base'), sentences: 150, calibration: 12 },
])('accuracy of $model', ({ folder, sentences, calibration }) => {
  const there = existsSync(folder);
  let float: Float;
  beforeAll(async () => {
    if (there) float = await measureFloat(folder, { sentences, calibration });
  }, 120_000);

  it.skipIf(!there).each(SCHEMES)(
    '$name is that of float',
    async ({ passes, error, agreement, largestDrop }) => {
      const { model, diagnostics } = await runPasses(float.compact, passes(float.statistics));
      expect(diagnostics).toEqual([]);
      const session = await createSession(await packageOf(model, folder), { threads: 1 });
      const { data, logits } = float;
      const actual = await answers(
        data,
        async (ids) => (await session.run({ input_ids: ids }))['logits']!.data,
      );
      session.dispose();
      expect(meanError(actual, logits)).toBeLessThan(error);
      expect(shareEqual(actual, logits)).toBeGreaterThan(agreement);
      const drop = 100 * (shareRight(data, logits) - shareRight(data, actual));
      expect(drop).toBeLessThanOrEqual(largestDrop);
    },
  );
});

interface Float {
  readonly compact: Model;
  readonly statistics: ActivationStatistics;
  readonly data: readonly Sentence[];
  /** Answers of the original file in onnxruntime. */
  readonly logits: readonly number[][];
}

async function measureFloat(
  folder: string,
  { sentences, calibration }: { sentences: number; calibration: number },
): Promise<Float> {
  const file = join(folder, 'model.onnx');
  const compact = (await runPasses(readOnnx(readFileSync(file)), compactEncoder())).model;
  const encode = await loadTokenizer(await packageOf(compact, folder));
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const tensor = (ids: readonly number[]): OrtTensor =>
    new OrtTensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const data = readSentences(join(sentiment, 'eval.tsv'), encode).slice(0, sentences);
  const logits = await answers(data, async (ids) => {
    const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
    return (await session.run(inputs))['logits']!.data as Float32Array;
  });
  await session.release();
  return { compact, statistics: await observe(compact, encode, calibration), data, logits };
}

async function packageOf(model: Model, folder: string): Promise<Map<string, Uint8Array>> {
  const [file, configFile] = ['tokenizer.json', 'tokenizer_config.json'];
  const edge = compileEdge(model, { maxSequence: MAX_TOKENS });
  const tokenizer = [file, configFile].map((name) => [name, readFileSync(join(folder, name))] as const);
  return buildPackage({
    description: {
      name: 'test',
      task: 'test',
      tokenizer: { file, configFile, maxLength: MAX_TOKENS },
    },
    model: edge.model,
    files: new Map([...edge.files, ...tokenizer]),
  });
}

async function observe(model: Model, encode: Encode, count: number): Promise<ActivationStatistics> {
  const lines = readFileSync(join(sentiment, 'calibration.txt'), 'utf8').trim().split('\n');
  const samples = lines.slice(0, count).map((line): Map<string, Tensor> => {
    const { ids } = encode(line);
    const ones = ids.map(() => 1);
    return new Map([
      ['input_ids', int64Tensor([1, ids.length], ids)],
      ['attention_mask', int64Tensor([1, ids.length], ones)],
    ]);
  });
  return observeActivations(
    model,
    (sample, want, emit) =>
      evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
    samples,
    { observer: mseObserver() },
  );
}

type Run = (ids: readonly number[]) => Promise<ArrayLike<number>>;

function readSentences(file: string, encode: Encode): Sentence[] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [text = '', label] = line.split('\t');
    return { ids: encode(text).ids, gold: Number(label) };
  });
}

async function answers(data: readonly Sentence[], run: Run): Promise<number[][]> {
  const logits: number[][] = [];
  for (const { ids } of data) logits.push(Array.from(await run(ids)));
  return logits;
}

function choice([negative = 0, positive = 0]: readonly number[]): number {
  return positive > negative ? 1 : 0;
}

function shareRight(data: readonly Sentence[], logits: readonly number[][]): number {
  return data.filter(({ gold }, i) => choice(logits[i] ?? []) === gold).length / data.length;
}

function shareEqual(a: readonly number[][], b: readonly number[][]): number {
  return a.filter((logits, i) => choice(logits) === choice(b[i] ?? [])).length / a.length;
}

function meanError(a: readonly number[][], b: readonly number[][]): number {
  const errors = a.flatMap((logits, i) => logits.map((value, j) => Math.abs(value - b[i]![j]!)));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
