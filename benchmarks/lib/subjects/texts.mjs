// The sentiment models on labelled sentences.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { classExamples, METRICS, readDataset } from '@edgewise/compiler';
import { modelFolder } from '../models.mjs';
import { Tensor } from '../onnxruntime.mjs';
import { ASSETS } from '../vision.mjs';
import { firstClass } from './subject.mjs';

const MAX_TOKENS = 128;
const CALIBRATION_SENTENCES = 160;
const LABELS = ['NEGATIVE', 'POSITIVE'];
const inRepo = (/** @type {string} */ path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const CALIBRATION = inRepo('models/sentiment/calibration.txt');

const MODELS = ['sst2-tiny', 'sst2-base'];
/** The second is not part of the repository; without it only the first is measured. */
const DATASETS = [
  { data: 'reviews', file: inRepo('models/sentiment/eval.tsv') },
  { data: 'sst2', file: join(ASSETS, 'datasets/sst2/dev.tsv') },
].filter(({ file }) => existsSync(file));

/** Models with a set each. */
export const TEXTS = MODELS.flatMap((name) => DATASETS.map((dataset) => ({ name, ...dataset })));

/**
 * @param {{ models: string }} options where the models are @param {typeof TEXTS[number]} text
 * @returns {Promise<import('./subject.mjs').Subject>}
 */
export async function openText(options, { name, data, file }) {
  const folder = modelFolder(options, name);
  const json = (/** @type {string} */ of) => JSON.parse(readFileSync(join(folder, of), 'utf8'));
  const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
  const feed = (/** @type {string} */ text) => {
    const { ids } = tokenizer.encode(text);
    if (ids.length > MAX_TOKENS) throw new Error(`${file}: a sentence has ${ids.length} tokens: ${text}`);
    const dims = [1, ids.length];
    return {
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), dims),
      attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), dims),
    };
  };
  const examples = classExamples(readDataset(readFileSync(file), { file }), LABELS);
  const sentences = readFileSync(CALIBRATION, 'utf8').trim().split('\n').slice(0, CALIBRATION_SENTENCES);
  return {
    name,
    kind: 'text',
    recipes: 'encoder',
    file: join(folder, 'model.onnx'),
    data,
    examples: examples.length,
    inputs: examples.map(({ text }) => feed(text)),
    calibration: sentences.map(feed),
    measure: {
      label: 'accuracy',
      metric: METRICS.accuracy,
      answers: (outputs) => outputs.map(firstClass),
      golds: () => examples.map(({ gold }) => gold),
    },
  };
}
