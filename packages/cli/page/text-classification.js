// The page of a classifier: a text field in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { bar, byId, element, runPage, showAnswer, showExamples, showPrompt } from './page.js';
import { load } from './runtime/text-classification.js';
import { EXAMPLES } from './page-config.js';

/** Where each label is by itself: it holds above this. */
const LABEL_THRESHOLD = 0.5;

const field = /** @type {HTMLTextAreaElement} */ (byId('text'));

showExamples(EXAMPLES, field);
await runPage(load, async (classify) => {
  const text = field.value.trim();
  if (text === '') return showNothing();
  const start = performance.now();
  const scores = await classify(text);
  const milliseconds = performance.now() - start;
  const { multiLabel = false } = classify.manifest;
  showAnswer(multiLabel ? labelsThatHold(scores) : (scores[0]?.label ?? ''), milliseconds);
  byId('each').hidden = !multiLabel;
  showScores(scores);
});

/** @typedef {{ label: string, score: number }} LabelScore */

/** @param {readonly LabelScore[]} scores best first */
function labelsThatHold(scores) {
  const held = scores.filter(({ score }) => score > LABEL_THRESHOLD);
  return held.length === 0 ? 'none of the labels' : held.map(({ label }) => label).join(', ');
}

/** In the order of their names, so that bars keep their places while one types. @param {readonly LabelScore[]} scores */
function showScores(scores) {
  byId('scores').replaceChildren(
    ...scores
      .toSorted((a, b) => (a.label < b.label ? -1 : 1))
      .map(({ label, score }) => {
        const value = document.createElement('dd');
        value.append(...bar(label, score, `${(100 * score).toFixed(1)} %`));
        const row = document.createElement('div');
        row.append(element('dt', label), value);
        return row;
      }),
  );
}

function showNothing() {
  showPrompt('Type a sentence, or choose one above.');
  byId('each').hidden = true;
  byId('scores').replaceChildren();
}
