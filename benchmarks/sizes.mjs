// Bytes to download: programs, model file, runtime.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { edgewisePackage, RECIPES } from './lib/edgewise.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';

const MODELS = ['sst2-tiny', 'sst2-base', 'minilm', 'distilbert'];
const KILOBYTE = 1000;
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
    for (const recipe of Object.keys(RECIPES).filter((key) => !key.includes('static'))) {
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
  printTable([
    ...runtime.files.map(({ file, bytes, brotli: compressed }) => ({ file, bytes, brotli: compressed })),
    { file: `all but the tokenizer (bar ${BARS.runtime})`, bytes: '', brotli: runtime.withoutTokenizer },
  ]);
  if (options.keep) writeResult('sizes', { bars: BARS, runtime, packages });
}

/** What a page with both tasks loads of the runtime. */
function runtimeSizes() {
  const folder = fileURLToPath(new URL('../packages/runtime/dist/web', import.meta.url));
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({ file, bytes: statSync(join(folder, file)).size, brotli: brotli(join(folder, file)) }));
  const withoutTokenizer = files
    .filter(({ file }) => !file.startsWith('tokenizer'))
    .reduce((sum, { brotli: bytes }) => sum + bytes, 0);
  return { files, withoutTokenizer };
}

/** @param {string} file */
function brotli(file) {
  return brotliCompressSync(readFileSync(file)).length;
}
