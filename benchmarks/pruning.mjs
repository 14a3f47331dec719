// What structural pruning without training costs the sentiment models, with and without repair, and what it saves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Tokenizer } from '@huggingface/tokenizers';
import {
  chooseVocabulary,
  classExamples,
  compactEncoder,
  countTokens,
  int64Tensor,
  measureFallback,
  narrowSequence,
  pruneEncoder,
  pruneVocabulary,
  readDataset,
  readOnnx,
  restrictTokenizer,
  runPasses,
} from '@edgewise/compiler';
import { openActivations, openEdge } from './lib/edge-model.mjs';
import { modelFolder } from './lib/models.mjs';
import { printPruned, rowOf } from './lib/pruned-rows.mjs';
import { note, writeResult } from './lib/report.mjs';

const MODELS = ['sst2-base', 'sst2-tiny'];
const DATA = new URL('../../shared/assets/datasets/sst2/', import.meta.url);
const LABELS = ['NEGATIVE', 'POSITIVE'];
const CALIBRATION_PHRASES = 400;
/** Shorter ones of SST-2's phrases are not like the sentences that are measured. */
const CALIBRATION_WORDS = 10;
const COVERAGE = 0.999;
const TIMED_SENTENCES = 40;

/** @type {readonly { name: string, shares: import('@edgewise/compiler').EncoderShares }[]} */
const CASES = [
  { name: 'a third of the layers', shares: { layers: 2 / 3 } },
  { name: 'half of the heads', shares: { heads: 0.5 } },
  { name: '30 % of the neurons', shares: { neurons: 0.7 } },
  { name: 'half of the heads, 30 % of the neurons', shares: { heads: 0.5, neurons: 0.7 } },
];

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {{ text: string, gold: number }} Example
 * @typedef {(text: string) => readonly number[]} Encode
 * @typedef {{ model: Model, encode: Encode, removed: string }} Variant
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const read = (/** @type {string} */ file) =>
    classExamples(readDataset(readFileSync(new URL(file, DATA)), { file }), LABELS);
  const [train, dev] = [read('train.tsv'), read('dev.tsv')];
  /** @type {import('./lib/pruned-rows.mjs').Row[]} */
  const rows = [];
  /** @type {Record<string, unknown>} */
  const vocabularies = {};
  for (const name of MODELS.filter((model) => model.includes(options.only ?? ''))) {
    const folder = modelFolder(options, name);
    const json = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    const encode = encoder(json);
    const { model: compact } = await runPasses(
      readOnnx(readFileSync(join(folder, 'model.onnx'))),
      compactEncoder(),
    );
    const samples = train
      .filter(({ text }) => text.split(' ').length >= CALIBRATION_WORDS)
      .slice(0, CALIBRATION_PHRASES)
      .map(({ text }) => inputsOf(compact, encode(text)));
    const float = await measured({ model: compact, encode, removed: '' }, dev);
    rows.push(await rowOf(name, 'nothing', '', float, float, options.scale));

    const vocabulary = pruneWords(json, encode, train, dev);
    vocabularies[name] = vocabulary.report;
    const words = await runPasses(compact, [pruneVocabulary({ ids: vocabulary.ids })]);
    const wordless = await measured(
      {
        model: words.model,
        encode: vocabulary.encode,
        removed: `${vocabulary.report.before - vocabulary.report.after} of ${vocabulary.report.before} tokens`,
      },
      dev,
    );
    rows.push(await rowOf(name, `vocabulary to ${COVERAGE * 100} %`, '', wordless, float, options.scale));

    for (const { name: pruned, shares } of CASES) {
      for (const repair of [false, true]) {
        const start = performance.now();
        const { model, ...parts } = await pruneEncoder(compact, {
          ...shares,
          repair,
          open: openActivations,
          samples,
        });
        const seconds = (performance.now() - start) / 1000;
        const variant = await measured({ model, encode, removed: describe(parts) }, dev);
        rows.push({
          ...(await rowOf(name, pruned, repair ? 'yes' : 'no', variant, float, options.scale)),
          seconds,
        });
        variant.close();
        note(
          `${name}: ${pruned}${repair ? ', repaired' : ''}: ${(rows.at(-1)?.drop.value ?? 0) * 100} points in ${seconds.toFixed(0)} s`,
        );
      }
    }
    wordless.close();
    float.close();
  }
  printPruned(rows);
  if (options.keep)
    writeResult('pruning', {
      calibrationPhrases: CALIBRATION_PHRASES,
      sentences: dev.length,
      vocabularies,
      rows,
    });
}

/** @param {object} json tokenizer.json @returns {Encode} */
function encoder(json) {
  const tokenizer = new Tokenizer(json, {});
  return (text) => tokenizer.encode(text).ids;
}

/** @param {Model} model @param {readonly number[]} ids */
function inputsOf({ graph }, ids) {
  return new Map(
    graph.inputs.map(({ name }) => [
      name,
      int64Tensor(
        [1, ids.length],
        ids.map((id) => (name === 'input_ids' ? id : 1)),
      ),
    ]),
  );
}

/**
 * The vocabulary that the training phrases need, and what it does to the sentences that are measured.
 * @param {any} tokenizer @param {Encode} before @param {readonly Example[]} train @param {readonly Example[]} dev
 */
function pruneWords(tokenizer, before, train, dev) {
  const counts = countTokens(train.map(({ text }) => before(text)));
  const {
    ids,
    coverage,
    unseen,
    unknown,
    before: size,
  } = chooseVocabulary({ tokenizer, counts, coverage: COVERAGE });
  const encode = encoder(restrictTokenizer(tokenizer, ids));
  const fallback = measureFallback({
    texts: dev.map(({ text }) => text),
    before,
    after: encode,
    ids,
    unknown,
  });
  return { ids, encode, report: { before: size, after: ids.size, coverage, unseen, fallback } };
}

/**
 * Opens a variant and answers the sentences.
 * @param {Variant} variant @param {readonly Example[]} examples @returns {Promise<import('./lib/pruned-rows.mjs').Measured>}
 */
async function measured({ model, encode, removed }, examples) {
  const { model: narrowed } = await runPasses(model, [narrowSequence()]);
  const { session, bytes } = await openEdge(narrowed);
  const inputs = examples.map(({ text }) => ({ input_ids: encode(text) }));
  const correct = [];
  /** @type {number[]} */
  const logits = [];
  for (const [at, input] of inputs.entries()) {
    const [negative = 0, positive = 0] = (await session.run(input))['logits']?.data ?? [];
    correct.push(Number(positive > negative) === examples[at]?.gold);
    logits.push(negative, positive);
  }
  return {
    session,
    logits,
    timed: inputs.slice(0, TIMED_SENTENCES),
    correct,
    bytes,
    removed,
    close: () => session.dispose(),
  };
}

/** @param {Omit<import('@edgewise/compiler').PrunedEncoder, 'model'>} parts */
function describe({ layers, heads, neurons }) {
  const each = (/** @type {readonly import('@edgewise/compiler').PrunedLayer[]} */ list) =>
    list[0]?.removed.length ?? 0;
  return [
    ...(layers.length > 0 ? [`layers ${layers.join(', ')}`] : []),
    ...(heads.length > 0 ? [`${each(heads)} heads of each layer`] : []),
    ...(neurons.length > 0 ? [`${each(neurons)} neurons of each layer`] : []),
  ].join('; ');
}
