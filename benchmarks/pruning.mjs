// What structural pruning without training costs the sentiment models, with and without repair, and what it saves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Tokenizer } from '@huggingface/tokenizers';
import {
  chooseVocabulary,
  classExamples,
  clopperPearson,
  compactEncoder,
  countTokens,
  int64Tensor,
  measureFallback,
  narrowSequence,
  pairedAccuracyDrop,
  pruneEncoder,
  pruneVocabulary,
  readDataset,
  readOnnx,
  restrictTokenizer,
  runPasses,
} from '@edgewise/compiler';
import { openActivations, openEdge } from './lib/edge-model.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, spread, writeResult } from './lib/report.mjs';
import { pairedRatio } from './lib/statistics.mjs';

const MODELS = ['sst2-base', 'sst2-tiny'];
const DATA = new URL('../../shared/assets/datasets/sst2/', import.meta.url);
const LABELS = ['NEGATIVE', 'POSITIVE'];
const CALIBRATION_PHRASES = 400;
/** Shorter ones of SST-2's phrases are not like the sentences that are measured. */
const CALIBRATION_WORDS = 10;
const COVERAGE = 0.999;
const ROUNDS = 20;
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
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 * @typedef {{ text: string, gold: number }} Example
 * @typedef {(text: string) => readonly number[]} Encode
 * @typedef {{ model: Model, encode: Encode, removed: string }} Variant
 * @typedef {Record<string, unknown> & { model: string, pruned: string, repair: string, removed: string, bytes: number, accuracy: Estimate, drop: Estimate, outputError: number, latency: import('./lib/statistics.mjs').Summary }} Row
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const read = (/** @type {string} */ file) =>
    classExamples(readDataset(readFileSync(new URL(file, DATA)), { file }), LABELS);
  const [train, dev] = [read('train.tsv'), read('dev.tsv')];
  /** @type {Row[]} */
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
  const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
  printTable(
    rows.map(({ model, pruned, repair, bytes, accuracy, drop, outputError, latency }) => ({
      model,
      pruned,
      repair,
      'accuracy, %': points(accuracy.value),
      '95 %': `${points(accuracy.low)}–${points(accuracy.high)}`,
      'drop, points': points(drop.value),
      '95 % ': `${points(drop.low)}–${points(drop.high)}`,
      'output error, %': points(outputError),
      'weights, MB': (bytes / 1e6).toFixed(2),
      'of the time': spread(latency),
    })),
  );
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

/** Opens a variant and answers the sentences. @param {Variant} variant @param {readonly Example[]} examples */
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
    inputs: inputs.slice(0, TIMED_SENTENCES),
    correct,
    bytes,
    removed,
    close: () => session.dispose(),
  };
}

/**
 * @typedef {Awaited<ReturnType<typeof measured>>} Measured
 * @param {string} model @param {string} pruned @param {string} repair
 * @param {Measured} variant @param {Measured} float @param {number} scale
 */
async function rowOf(model, pruned, repair, variant, float, scale) {
  const right = variant.correct.filter(Boolean).length;
  const [times, floatTimes] = /** @type {[number[], number[]]} */ ([[], []]);
  for (let round = 0; round < Math.ceil(ROUNDS * scale); round++) {
    floatTimes.push(await timeOf(float));
    times.push(await timeOf(variant));
  }
  return {
    model,
    pruned,
    repair,
    removed: variant.removed,
    bytes: variant.bytes,
    accuracy: clopperPearson(right, variant.correct.length),
    drop: pairedAccuracyDrop(float.correct, variant.correct),
    outputError: relativeError(variant.logits, float.logits),
    latency: pairedRatio(times, floatTimes),
  };
}

/** Root of the squared differences over the root of the squares. @param {readonly number[]} values @param {readonly number[]} expected */
function relativeError(values, expected) {
  return Math.hypot(...values.map((value, at) => value - (expected[at] ?? NaN))) / Math.hypot(...expected);
}

/** Milliseconds for some sentences, one after the other. @param {Measured} measured */
async function timeOf({ session, inputs }) {
  const start = performance.now();
  for (const input of inputs) await session.run(input);
  return performance.now() - start;
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
