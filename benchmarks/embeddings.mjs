// Sentence embeddings of a trained encoder: how far our packages move them, and what that does to similarity scores.
// Needs a model that is not ours to ship: oracles/minilm_check.py exports one and records its embeddings.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimate, METRICS, readDataset, scoreExamples } from '@edgewise/compiler';
import { load } from '@edgewise/runtime/feature-extraction';
import { edgewisePackage, RECIPES } from './lib/edgewise.mjs';
import { modelFolder } from './lib/models.mjs';
import { note, printTable, writeResult } from './lib/report.mjs';

const NAME = 'all-minilm';
const MAX_TOKENS = 256;
const PAIRS = fileURLToPath(new URL('../../shared/assets/datasets/stsb/dev.csv', import.meta.url));

/** @typedef {{ sentence: string, embedding: readonly number[] }} Recorded */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = modelFolder(options, NAME);
  /** @type {{ sentences: readonly Recorded[] }} */
  const { sentences } = JSON.parse(readFileSync(join(folder, 'embeddings.json'), 'utf8'));
  const pairs = scoreExamples(readDataset(readFileSync(PAIRS), { file: PAIRS }));
  const rows = [];
  for (const recipe of Object.keys(RECIPES)) {
    const packaged = await edgewisePackage({
      folder,
      name: NAME,
      task: 'feature-extraction',
      recipe,
      maxSequence: MAX_TOKENS,
    });
    const embed = await load(packaged.folder, { threads: 1 });
    const cosines = [];
    for (const { sentence, embedding } of sentences) cosines.push(dot(await embed(sentence), embedding));
    const similarities = [];
    for (const { text, textPair = '' } of pairs) {
      similarities.push(dot(await embed(text), await embed(textPair)));
    }
    rows.push({
      recipe,
      'weights, MB': (statSync(join(packaged.folder, packaged.model.weights.file)).size / 1e6).toFixed(1),
      'cosine, mean': (cosines.reduce((a, b) => a + b, 0) / cosines.length).toFixed(4),
      'cosine, worst': Math.min(...cosines).toFixed(4),
      'Spearman, STS-B dev': estimate(
        METRICS.spearman,
        similarities,
        pairs.map(({ gold }) => gold),
      ).value.toFixed(4),
    });
    embed.dispose();
    note(recipe);
  }
  printTable(rows);
  if (options.keep) writeResult('embeddings', { pairs: pairs.length, sentences: sentences.length, rows });
}

/** Both are of length 1. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
