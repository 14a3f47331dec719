import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../src/format/index.ts';
import { load as loadExtractor } from '../src/node/feature-extraction.ts';
import { createSession, RuntimeError } from '../src/node/index.ts';
import { nodePlatform } from '../src/node/platform.ts';
import { load as loadClassifier } from '../src/node/text-classification.ts';
import { loadTokenizer } from '../src/node/tokenizer.ts';
import type { OnnxPlatform } from '../src/platform.ts';
import type { Platform } from '../src/session/platform.ts';
import { sessionCreator } from '../src/session/create-session.ts';
import { fileEntry, tinyPackage, tinyReference } from './tiny-package.ts';

const wordpiece = JSON.parse(
  readFileSync(new URL('fixtures/tokenizers/wordpiece.cases.json', import.meta.url), 'utf8'),
) as { maxLength: number; cases: { text: string; pair?: string; ids: number[] }[] }[];
const idsOf = (text: string, pair?: string): number[] => {
  const found = wordpiece[0]?.cases.find((item) => item.text === text && item.pair === pair);
  if (!found) throw new Error(`"${text}" is not recorded`);
  return found.ids;
};

const softmax = (logits: readonly number[]): number[] => {
  const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / sum);
};
const LABELS = ['bad', 'fair', 'good'];
const ranked = (scores: readonly number[]): unknown[] =>
  LABELS.map((label, i) => ({
    label,
    score: expect.closeTo(scores[i] ?? NaN, 9) as number,
    key: scores[i] ?? NaN,
  }))
    .sort((a, b) => b.key - a.key)
    .map(({ label, score }) => ({ label, score }));

describe('text-classification', () => {
  it('classifies a text, a pair and a list, best label first', async () => {
    const classify = await loadClassifier(tinyPackage().files);
    const expected = ranked(softmax(tinyReference(idsOf('café')).logits));
    const pair = { text: 'question', pair: 'answer' };
    const expectedPair = ranked(softmax(tinyReference(idsOf('question', 'answer')).logits));
    expect(await classify('café')).toEqual(expected);
    expect(await classify('café', { topK: 2 })).toEqual(expected.slice(0, 2));
    expect(await classify(['café', pair])).toEqual([expected, expectedPair]);
    expect(await classify([])).toEqual([]);
    expect(classify.info).toBe(classify.session.info);
    expect(classify.manifest.name).toBe('tiny');
    classify.dispose();
    await expect(classify('café')).rejects.toMatchObject({ code: 'disposed' });
  });

  it('takes labels by themselves when the package is multi-label', async () => {
    const classify = await loadClassifier(tinyPackage({ multiLabel: true }).files);
    const logits = tinyReference(idsOf('café')).logits;
    expect(await classify('café')).toEqual(ranked(logits.map((x) => 1 / (1 + Math.exp(-x)))));
    classify.dispose();
  });

  it('cuts to the package’s longest input', async () => {
    const classify = await loadClassifier(tinyPackage({ maxLength: 16 }).files);
    const text = 'the film is great. '.repeat(60);
    const cut = wordpiece[1]?.cases.find((item) => item.text === text)?.ids ?? [];
    expect(cut).toHaveLength(16);
    expect(await classify(text)).toEqual(ranked(softmax(tinyReference(cut).logits)));
    classify.dispose();
  });

  it('refuses what does not fit', async () => {
    const classify = await loadClassifier(tinyPackage().files);
    await expect(classify(5 as unknown as string)).rejects.toMatchObject({ code: 'bad-input' });
    await expect(classify({ text: 'a' } as unknown as string, { topK: 0 })).rejects.toMatchObject({
      code: 'bad-option',
    });
    classify.dispose();
    await expect(loadClassifier(tinyPackage({ task: 'feature-extraction' }).files)).rejects.toThrow(
      'this package is for feature-extraction, not for text-classification',
    );
  });
});

it('feature-extraction pools the token rows', async () => {
  const extract = await loadExtractor(tinyPackage({ task: 'feature-extraction' }).files);
  const { rows } = tinyReference(idsOf('question', 'answer'));
  const tokens = rows.length / 3;
  const mean = [0, 1, 2].map((j) => rows.filter((_, i) => i % 3 === j).reduce((a, b) => a + b, 0) / tokens);
  const vector = await extract({ text: 'question', pair: 'answer' });
  expect(vector).toEqual(Float32Array.from(mean));
  expect(await extract(['café', 'A'])).toHaveLength(2);
  extract.dispose();
});

it('the tokenizer loads by itself', async () => {
  const encode = await loadTokenizer(tinyPackage().files);
  const found = wordpiece[0]?.cases.find(({ text }) => text === 'question');
  expect(encode('question', 'answer')).toMatchObject({ ids: found?.ids });
});

/** What runs packages on an onnxruntime from elsewhere. */
const onnxWith = async (
  importRuntime: OnnxPlatform['importRuntime'],
): ReturnType<Platform['importOnnxSession']> => ({
  ...(await nodePlatform.importOnnxSession()),
  onnxPlatform: { hint: 'npm install onnxruntime-node', importRuntime },
});

describe('a package run by onnxruntime', () => {
  const folder = join(repoRoot, 'models/sentiment');
  const files = new Map<string, Uint8Array>();
  beforeAll(() => {
    for (const name of ['model.onnx', 'tokenizer.json', 'tokenizer_config.json']) {
      files.set(name, readFileSync(join(folder, name)));
    }
    const manifest: Manifest = {
      format: 'edgewise',
      formatVersion: 1,
      name: 'sentiment',
      task: 'text-classification',
      model: { kind: 'onnx', file: 'model.onnx' },
      tokenizer: { file: 'tokenizer.json', configFile: 'tokenizer_config.json', maxLength: 128 },
      labels: ['negative', 'positive'],
      files: Object.fromEntries([...files].map(([name, bytes]) => [name, fileEntry(bytes)])),
    };
    files.set('edgewise.json', new TextEncoder().encode(JSON.stringify(manifest)));
  });

  it('reaches the accuracy that Python and onnxruntime measure: 476 of 640', async () => {
    const classify = await loadClassifier(files, { threads: 1, verify: true });
    expect(classify.info).toMatchObject({ rung: 'onnxruntime', threads: 1, worker: false });
    const [, ...lines] = readFileSync(join(folder, 'eval.tsv'), 'utf8').trimEnd().split('\n');
    const examples = lines.map((line) => line.split('\t'));
    const results = await classify(examples.map(([text = '']) => text));
    const correct = results.filter(
      ([best], i) => best?.label === (examples[i]?.[1] === '1' ? 'positive' : 'negative'),
    );
    expect([correct.length, examples.length]).toEqual([476, 640]);
    classify.dispose();
  });

  it('queues runs, fills the mask and refuses unknown inputs', async () => {
    const session = await createSession(files, { threads: 1 });
    expect(session.inputs.map(({ name, required }) => [name, required])).toEqual([
      ['input_ids', true],
      ['attention_mask', false],
    ]);
    const runs = await Promise.all(
      [
        [2, 50, 3],
        [2, 50, 60, 3],
        [2, 50, 3],
      ].map((input_ids) => session.run({ input_ids })),
    );
    const [first, second, third] = runs.map((outputs) => outputs['logits']);
    expect(first).toMatchObject({ dtype: 'float32', shape: [1, 2] });
    expect(first).toEqual(third);
    expect(first).not.toEqual(second);
    await expect(session.run({ input: [1] })).rejects.toThrow('there is no input "input"');
    await expect(session.run({ attention_mask: [1] })).rejects.toThrow('input "input_ids" is missing');
    session.dispose();
    await expect(session.run({ input_ids: [1] })).rejects.toMatchObject({ code: 'disposed' });
  });

  it('takes the module that it is given', async () => {
    const { default: onnxruntime } = (await import('onnxruntime-node')) as unknown as { default: object };
    const creator = sessionCreator({
      ...nodePlatform,
      importOnnxSession: () => onnxWith(() => Promise.reject(new Error('not asked for'))),
    });
    const session = await creator(files, { onnxruntime, threads: 1 });
    expect(session.info.rung).toBe('onnxruntime');
    session.dispose();
  });

  it('says what to install when onnxruntime is missing, and names a model it cannot load', async () => {
    const missing = sessionCreator({
      ...nodePlatform,
      importOnnxSession: () => onnxWith(() => Promise.reject(new Error('Cannot find package'))),
    });
    await expect(missing(files)).rejects.toMatchObject({
      code: 'missing-dependency',
      message: expect.stringContaining('npm install onnxruntime-node') as string,
    });
    const model = (files.get('model.onnx') ?? new Uint8Array()).slice();
    model.fill(255, 0, 64);
    await expect(createSession(new Map([...files, ['model.onnx', model]]))).rejects.toThrow(RuntimeError);
  });
});
