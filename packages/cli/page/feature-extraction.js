// The page of an encoder of sentences: one sentence against a list, by the cosine of their vectors, in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { cosine } from './cosine.js';
import { bar, byId, element, runPage, showAnswer, showExamples, showPrompt, whileTyping } from './page.js';
import { load } from './runtime/feature-extraction.js';
import { EXAMPLES, OTHERS } from './page-config.js';

const field = /** @type {HTMLTextAreaElement} */ (byId('text'));
const list = /** @type {HTMLTextAreaElement} */ (byId('others'));

showExamples(EXAMPLES, field);
list.value = OTHERS.join('\n');
await runPage(load, (embed) => whileTyping(() => compare(embed)));

/** @param {import('@edgewise/runtime/feature-extraction').FeatureExtractor} embed */
async function compare(embed) {
  const text = field.value.trim();
  const others = list.value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (text === '' || others.length === 0) return showNothing(text);
  const start = performance.now();
  const [own, ...vectors] = await embed([text, ...others]);
  const milliseconds = performance.now() - start;
  const ranked = others
    .map((other, i) => ({ other, similarity: cosine(own, vectors[i]) }))
    .sort((a, b) => b.similarity - a.similarity);
  showAnswer(
    `${others.length === 1 ? '1 sentence' : `${others.length} sentences`}, closest first`,
    milliseconds,
  );
  byId('closest').textContent = ranked[0]?.other ?? '';
  showRanking(ranked);
}

/** @param {readonly { other: string, similarity: number }[]} ranked closest first */
function showRanking(ranked) {
  byId('ranking').replaceChildren(
    ...ranked.map(({ other, similarity }) => {
      const row = document.createElement('li');
      row.append(element('p', other), ...bar(other, similarity, similarity.toFixed(3)));
      return row;
    }),
  );
}

/** @param {string} text */
function showNothing(text) {
  showPrompt(
    text === '' ? 'Type a sentence, or choose one above.' : 'Type a sentence to compare with, one a line.',
  );
  byId('ranking').replaceChildren();
}
