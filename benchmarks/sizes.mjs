// Bytes to download: programs, model file, runtime.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { edgewisePackage, RECIPES } from './lib/edgewise.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';

const MODELS = ['sst2-tiny', 'sst2-base', 'minilm', 'distilbert'];
const KILOBYTE = 1000;
const TEXT_TASKS = ['text-classification', 'feature-extraction'];
const TASKS = [
  ...TEXT_TASKS,
  'image-classification',
  'image-feature-extraction',
  'object-detection',
  'audio-classification',
  'voice-activity-detection',
];
const TOKENIZER = 'tokenizer.js';
/** What a page does not load that runs our engine in the worker, the default. */
const OTHER_SESSIONS = ['edge-session.js', 'onnx-session.js'];
const BARS = { programs: 30 * KILOBYTE, runtime: 15 * KILOBYTE, int8: 0.27, int4: 0.17 };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const runtime = runtimeSizes();
  const packages = [];
  for (const name of MODELS.filter((model) => model.includes(options.only ?? ''))) {
    const folder = modelFolder(options, name);
    const floatBytes = statSync(join(folder, 'model.onnx')).size;
    const task = name === 'minilm' ? 'feature-extraction' : 'text-classification';
    const maxSequence = name.startsWith('sst2') ? 128 : 512;
    for (const recipe of Object.keys(RECIPES)) {
      note(`${name}, ${recipe}`);
      const { folder: files, model } = await edgewisePackage({ folder, name, task, recipe, maxSequence });
      const size = (/** @type {string} */ file) => statSync(join(files, file)).size;
      const weights = size(model.weights.file);
      packages.push({
        model: name,
        recipe,
        relaxed: { bytes: size(model.programs.relaxed), brotli: brotli(join(files, model.programs.relaxed)) },
        simd: { bytes: size(model.programs.simd), brotli: brotli(join(files, model.programs.simd)) },
        weights: { bytes: weights, shareOfFloat: weights / floatBytes },
      });
    }
  }
  printTable(
    packages.map(({ model, recipe, relaxed, simd, weights }) => ({
      model,
      recipe,
      'both programs, brotli': relaxed.brotli + simd.brotli,
      'bar ': BARS.programs,
      'weights, MB': short(weights.bytes / 1e6),
      'of float': `${short(weights.shareOfFloat * 100)} %`,
      bar: recipe === 'float32' ? '' : `${(recipe.endsWith('+int4') ? BARS.int4 : BARS.int8) * 100} %`,
    })),
  );
  printTable(
    runtime.map(({ task, files, tokenizer, brotli: compressed, bar }) => ({
      'page for': task,
      files: files.length,
      'brotli, without the tokenizer': compressed,
      bar: bar ?? '',
      'its tokenizer': tokenizer || '',
    })),
  );
  if (options.keep) writeResult('sizes', { bars: BARS, runtime, packages });
}

/** What a page loads of the runtime, by task: its entry, the worker and what they import. Only text tasks have a bar. */
function runtimeSizes() {
  const folder = fileURLToPath(new URL('../packages/runtime/dist/web', import.meta.url));
  return TASKS.map((task) => {
    const files = [...filesOf(folder, `${task}.js`)].map((file) => ({
      file,
      bytes: statSync(join(folder, file)).size,
      brotli: brotli(join(folder, file)),
    }));
    const own = files.filter(({ file }) => file !== TOKENIZER);
    return {
      task,
      files,
      brotli: own.reduce((sum, { brotli: bytes }) => sum + bytes, 0),
      tokenizer: files.find(({ file }) => file === TOKENIZER)?.brotli ?? 0,
      bar: TEXT_TASKS.includes(task) ? BARS.runtime : undefined,
    };
  });
}

/** @param {string} folder @param {string} entry @param {Set<string>} [found] @returns {Set<string>} */
function filesOf(folder, entry, found = new Set()) {
  if (found.has(entry) || OTHER_SESSIONS.includes(entry)) return found;
  found.add(entry);
  const code = readFileSync(join(folder, entry), 'utf8');
  for (const [, name] of code.matchAll(/["'`]\.\/([\w-]+\.js)["'`]/g)) filesOf(folder, name ?? '', found);
  return found;
}

/** @param {string} file */
function brotli(file) {
  return brotliCompressSync(readFileSync(file)).length;
}
