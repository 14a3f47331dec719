// Makes the models that the benchmarks measure: node benchmarks/make-models.mjs [FOLDER] [--python FILE].
// minilm and distilbert have random weights. Each gets int8 forms for onnxruntime, of which benchmarks take the fastest:
// two from our compiler and, with a Python that has onnxruntime, three from onnxruntime's own quantize_dynamic.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  compactEncoder,
  expandEdgewise,
  quantizeEmbeddings,
  quantizeLinears,
  readOnnx,
  runPasses,
  writeOnnx,
} from '@edgewise/compiler';
import { encoderOnnx } from './lib/build-encoder.mjs';
import { wordPieceTokenizer } from './lib/build-tokenizer.mjs';
import { runToEnd } from './lib/children.mjs';
import { CACHE } from './lib/models.mjs';
import { note } from './lib/report.mjs';
import { SHAPES, VOCABULARY } from './lib/shapes.mjs';

const FILES = ['model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'];
const inRepo = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** Trained ones. The second is not part of the repository. */
const TRAINED = {
  'sst2-tiny': inRepo('models/sentiment'),
  'sst2-base': inRepo('../shared/assets/own/sst2-base'),
};

const QUANTIZE_DYNAMIC = {
  s8: [],
  u8: ['--weight-type', 'QUInt8'],
  's7-perchannel': ['--per-channel', '--reduce-range'],
};

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' } },
});
const out = resolve(positionals[0] ?? join(CACHE, 'models'));
for (const shape of SHAPES) {
  const folder = makeFolder(shape.name);
  writeFileSync(join(folder, 'model.onnx'), encoderOnnx(shape));
  for (const [name, content] of Object.entries({ ...wordPieceTokenizer(), 'config.json': configOf(shape) })) {
    writeFileSync(join(folder, name), `${JSON.stringify(content)}\n`);
  }
  await writeInt8(folder);
}
for (const [name, source] of Object.entries(TRAINED)) {
  if (!existsSync(source)) continue;
  const folder = makeFolder(name);
  for (const file of FILES) copyFileSync(join(source, file), join(folder, file));
  await writeInt8(folder);
}

/** @param {string} name */
function makeFolder(name) {
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  note(folder);
  return folder;
}

/** What transformers.js reads. @param {import('./lib/shapes.mjs').Shape} shape */
function configOf({ name, hidden, layers, heads, feedForward, task }) {
  const classifies = task === 'text-classification';
  return {
    model_type: name === 'minilm' ? 'bert' : 'distilbert',
    architectures: [classifies ? 'DistilBertForSequenceClassification' : 'BertModel'],
    vocab_size: VOCABULARY,
    ...(name === 'minilm'
      ? {
          hidden_size: hidden,
          num_hidden_layers: layers,
          num_attention_heads: heads,
          intermediate_size: feedForward,
        }
      : { dim: hidden, n_layers: layers, n_heads: heads, hidden_dim: feedForward }),
    max_position_embeddings: 512,
    ...(classifies && { id2label: { 0: 'NEGATIVE', 1: 'POSITIVE' } }),
  };
}

/**
 * Dynamically quantized, by our compiler with and without onnxruntime's own operators, and by onnxruntime's tool.
 * @param {string} folder
 */
async function writeInt8(folder) {
  const float = join(folder, 'model.onnx');
  const { model } = await runPasses(readOnnx(readFileSync(float)), [
    ...compactEncoder(),
    quantizeLinears({ weightBits: 7 }),
    quantizeEmbeddings({ bits: 8 }),
  ]);
  for (const contrib of [true, false]) {
    const file = `model_int8.edgewise-${contrib ? 'contrib' : 'standard'}.onnx`;
    writeFileSync(join(folder, file), writeOnnx(expandEdgewise(model, { contrib })).bytes);
  }
  for (const [name, options] of Object.entries(flags.python === undefined ? {} : QUANTIZE_DYNAMIC)) {
    const file = join(folder, `model_int8.onnxruntime-${name}.onnx`);
    await runToEnd(flags.python ?? '', [
      inRepo('oracles/quantize_dynamic.py'),
      float,
      file,
      '--runs',
      '1',
      ...options,
    ]);
  }
}
