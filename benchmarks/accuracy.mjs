// Accuracy of the sentiment models: float and dynamic int8 on onnxruntime, our packages on our engine in Node.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { classExamples, clopperPearson, pairedAccuracyDrop, readDataset } from '@edgewise/compiler';
import { createSession } from '@edgewise/runtime/node';
import { edgewisePackage, RECIPES } from './lib/edgewise.mjs';
import { int8Variants, modelFolder } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';

const MODELS = ['sst2-tiny', 'sst2-base'];
const LABELS = ['NEGATIVE', 'POSITIVE'];
const MAX_TOKENS = 128;
const CALIBRATION_SENTENCES = 160;
/** Largest drop in points at W7A8. */
const BAR = 0.3;

const inRepo = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** The second is not part of the repository; without it only the first is measured. */
const DATASETS = [
  { name: 'reviews', file: inRepo('models/sentiment/eval.tsv') },
  { name: 'sst2', file: inRepo('../shared/assets/datasets/sst2/dev.tsv') },
];

/**
 * @typedef {{ ids: readonly number[], gold: number }} Example
 * @typedef {import('@edgewise/compiler').Estimate} Estimate
 * @typedef {{ model: string, data: string, scheme: string, bytes: number, sentences: number, correct: number, accuracy: Estimate, drop: Estimate }} Row
 * @typedef {{ run: (ids: readonly number[]) => Promise<ArrayLike<number>>, close: () => unknown }} Runner
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  /** @type {Row[]} */
  const rows = [];
  for (const name of MODELS.filter((model) => model.includes(options.only ?? ''))) {
    const folder = modelFolder(options, name);
    const encode = openTokenizer(folder);
    const datasets = DATASETS.filter(({ file }) => existsSync(file)).map(({ name: data, file }) => ({
      data,
      examples: classExamples(readDataset(readFileSync(file), { file }), LABELS).map(({ text, gold }) => ({
        ids: encode(text),
        gold,
      })),
    }));
    const sentences = readFileSync(inRepo('models/sentiment/calibration.txt'), 'utf8').trim().split('\n');
    const calibration = sentences.slice(0, CALIBRATION_SENTENCES).map(encode);
    /** @type {Map<string, boolean[]>} */
    const baselines = new Map();
    for await (const { scheme, bytes, runner } of candidates(name, folder, calibration)) {
      for (const { data, examples } of datasets) {
        const correct = await answer(runner, examples);
        if (!baselines.has(data)) baselines.set(data, correct);
        const right = correct.filter(Boolean).length;
        rows.push({
          model: name,
          data,
          scheme,
          bytes,
          sentences: examples.length,
          correct: right,
          accuracy: clopperPearson(right, examples.length),
          drop: pairedAccuracyDrop(baselines.get(data) ?? [], correct),
        });
      }
      await runner.close();
      note(`${name}, ${scheme}`);
    }
  }
  const floatBytes = (/** @type {string} */ model) => rows.find((row) => row.model === model)?.bytes ?? NaN;
  const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
  printTable(
    rows.map(({ model, data, scheme, bytes, accuracy, drop }) => ({
      model,
      data,
      scheme,
      'accuracy, %': points(accuracy.value),
      '95 %': `${points(accuracy.low)}–${points(accuracy.high)}`,
      'drop, points': points(drop.value),
      '95 % ': `${points(drop.low)}–${points(drop.high)}`,
      'model file of float': `${short((bytes / floatBytes(model)) * 100)} %`,
    })),
  );
  if (options.keep) writeResult('accuracy', { bar: BAR, calibrationSentences: CALIBRATION_SENTENCES, rows });
}

/**
 * Everything that is measured on a model, one at a time; float comes first, as what drops are counted from.
 * @param {string} name @param {string} folder @param {readonly (readonly number[])[]} calibration
 */
async function* candidates(name, folder, calibration) {
  for (const file of ['model.onnx', ...int8Variants(folder)]) {
    const scheme =
      file === 'model.onnx'
        ? 'float, onnxruntime'
        : `onnxruntime, ${file.slice('model_int8.'.length, -'.onnx'.length)}`;
    const path = join(folder, file);
    yield { scheme, bytes: statSync(path).size, runner: await openOnnx(path) };
  }
  for (const recipe of Object.keys(RECIPES)) {
    const task = /** @type {const} */ ('text-classification');
    const packaged = await edgewisePackage({
      folder,
      name,
      task,
      recipe,
      maxSequence: MAX_TOKENS,
      calibration,
    });
    const session = await createSession(packaged.folder, { threads: 1 });
    /** @type {Runner} */
    const runner = {
      run: async (ids) => (await session.run({ input_ids: ids }))['logits']?.data ?? [],
      close: () => session.dispose(),
    };
    const { size: bytes } = statSync(join(packaged.folder, packaged.model.weights.file));
    yield { scheme: `edgewise ${recipe}`, bytes, runner };
  }
}

/** @param {string} path @returns {Promise<Runner>} */
async function openOnnx(path) {
  const session = await InferenceSession.create(readFileSync(path), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    run: async (ids) => {
      const dims = [1, ids.length];
      const { logits } = await session.run({
        input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), dims),
        attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), dims),
      });
      return /** @type {Float32Array} */ (logits?.data ?? new Float32Array());
    },
    close: () => session.release(),
  };
}

/** @param {string} folder @returns {(text: string) => number[]} */
function openTokenizer(folder) {
  const json = (/** @type {string} */ file) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
  return (text) => {
    const { ids } = tokenizer.encode(text);
    if (ids.length > MAX_TOKENS) throw new Error(`a sentence has ${ids.length} tokens: ${text}`);
    return ids;
  };
}

/** Whether each example gets its class. @param {Runner} runner @param {readonly Example[]} examples */
async function answer({ run: classify }, examples) {
  const correct = [];
  for (const { ids, gold } of examples) {
    const [negative = 0, positive = 0] = Array.from(await classify(ids));
    correct.push(Number(positive > negative) === gold);
  }
  return correct;
}
