// The page of a classifier: a text field in front of a model that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { byId, runPage, showAnswer, showBars, showExamples, showPrompt, whileTyping } from './page.js';
import { load } from './runtime/text-classification.js';
import { EXAMPLES } from './page-config.js';

/** Where each label is by itself: it holds above this. */
const LABEL_THRESHOLD = 0.5;

const field = /** @type {HTMLTextAreaElement} */ (byId('text'));

showExamples(EXAMPLES, field);
await runPage(load, (classify) => whileTyping(() => answer(classify)));

/** @param {import('@edgewise/runtime/text-classification').TextClassifier} classify */
async function answer(classify) {
  const text = field.value.trim();
  if (text === '') return showNothing();
  const start = performance.now();
  const scores = await classify(text);
  const milliseconds = performance.now() - start;
  const { multiLabel = false } = classify.manifest;
  showAnswer(multiLabel ? labelsThatHold(scores) : (scores[0]?.label ?? ''), milliseconds);
  byId('each').hidden = !multiLabel;
  // In the order of their names, so that bars keep their places while one types.
  showBars(scores.toSorted((a, b) => (a.label < b.label ? -1 : 1)));
}

/** @typedef {{ label: string, score: number }} LabelScore */

/** @param {readonly LabelScore[]} scores best first */
function labelsThatHold(scores) {
  const held = scores.filter(({ score }) => score > LABEL_THRESHOLD);
  return held.length === 0 ? 'none of the labels' : held.map(({ label }) => label).join(', ');
}

function showNothing() {
  showPrompt('Type a sentence, or choose one above.');
  byId('each').hidden = true;
  byId('scores').replaceChildren();
}
