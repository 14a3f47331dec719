// Writes packages of several encoders at several precisions: node make-packages.mjs OUT (after npm run build).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import * as compiler from '@edgewise/compiler';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [out] = argv.slice(2);
if (!out) throw new Error('usage: node make-packages.mjs OUT');

/** One of each architecture and of each option that changes the graph. */
const EXPORTS = [
  'distilbert-legacy-sdpa',
  'distilbert-relu-legacy-sdpa',
  'distilbert-multilabel-dynamo-eager',
  'bert-legacy-eager',
  'bert-cls-gelu-new-dynamo-sdpa',
  'minilm-legacy-sdpa',
  'roberta-legacy-eager',
];

const RECIPES = {
  float32: () => [],
  'w7-dynamic': () => [compiler.quantizeLinears({ weightBits: 7 }), compiler.quantizeEmbeddings({ bits: 8 })],
  'w8-dynamic': () => [compiler.quantizeLinears({ weightBits: 8 }), compiler.quantizeEmbeddings({ bits: 4 })],
  'w7-static': (ranges) => [compiler.quantizeLinears({ weightBits: 7, activations: 'static', ranges })],
  'w8-static': (ranges) => [compiler.quantizeLinears({ weightBits: 8, activations: 'static', ranges })],
  int4: () => [compiler.quantizeWeightsInt4(), compiler.quantizeEmbeddings({ bits: 4 })],
};

for (const name of EXPORTS) {
  const file = join(root, 'packages/compiler/test/fixtures/exports', `${name}.onnx`);
  await writeAll(name, file, { task: 'test', maxSequence: 40, extra: {} });
}
const sentiment = join(root, 'models/sentiment');
const tokenizer = { file: 'tokenizer.json', configFile: 'tokenizer_config.json', maxLength: 128 };
await writeAll('sentiment', join(sentiment, 'model.onnx'), {
  task: 'text-classification',
  maxSequence: 128,
  extra: { tokenizer, labels: ['negative', 'positive'] },
});

async function writeAll(name, file, { task, maxSequence, extra }) {
  const { model } = await compiler.runPasses(
    compiler.readOnnx(readFileSync(file)),
    compiler.compactEncoder(),
  );
  const ranges = await rangesOf(model);
  for (const [recipe, passes] of Object.entries(RECIPES)) {
    const small = await compiler.runPasses(model, passes(ranges));
    if (small.diagnostics.length > 0) throw new Error(JSON.stringify(small.diagnostics));
    const edge = compiler.compileEdge(small.model, { maxSequence });
    const beside = extra.tokenizer ? [extra.tokenizer.file, extra.tokenizer.configFile] : [];
    const files = await compiler.buildPackage({
      description: { name, task, ...extra },
      model: edge.model,
      files: new Map([...edge.files, ...beside.map((item) => [item, readFileSync(join(sentiment, item))])]),
    });
    const folder = join(out, `${name}, ${recipe}`);
    mkdirSync(folder, { recursive: true });
    for (const [item, bytes] of files) writeFileSync(join(folder, item), bytes);
  }
}

/** Ranges of the activations over a few drawn inputs; which ones does not matter, the same package runs everywhere. */
async function rangesOf(model) {
  const samples = [3, 11, 24].map((length) => {
    const tensor = (value) =>
      compiler.int64Tensor(
        [1, length],
        Array.from({ length }, (_, i) => value(i)),
      );
    const values = { input_ids: (i) => 2 + ((i * 37 + length) % 90), attention_mask: () => 1 };
    return new Map(model.graph.inputs.map(({ name }) => [name, tensor(values[name] ?? (() => 0))]));
  });
  const run = (sample, want, emit) =>
    compiler.evaluateModel(model, sample, { want }).forEach((tensor, name) => emit(name, tensor));
  return compiler.calibrate(model, run, samples, { observer: compiler.minMaxObserver });
}
