// The demo page: a text field in front of a classifier that runs in this tab.
// Only page-config.js differs from package to package; use this file as a start for your own page.
import { load } from './runtime/text-classification.js';
import { EXAMPLES } from './page-config.js';

/** Typing faster than this asks once. */
const TYPING_PAUSE_MS = 120;

const field = /** @type {HTMLTextAreaElement} */ (byId('text'));
const status = byId('status');

showExamples();
try {
  const classify = await load('./model/');
  showEngine(classify.info);
  startClassifying(classify);
  await storeForOffline();
} catch (error) {
  fail(error);
}

/** @param {import('@edgewise/runtime/text-classification').TextClassifier} classify */
function startClassifying(classify) {
  let newest = 0;
  const update = async () => {
    const text = field.value.trim();
    const request = ++newest;
    if (text === '') return showPrompt();
    const start = performance.now();
    const scores = await classify(text);
    // An answer to what has been typed over since is of no use.
    if (request === newest) showScores(scores, performance.now() - start);
  };
  let pause = 0;
  field.addEventListener('input', () => {
    clearTimeout(pause);
    pause = window.setTimeout(() => void update().catch(fail), TYPING_PAUSE_MS);
  });
  byId('form').addEventListener('submit', (event) => event.preventDefault());
  void update().catch(fail);
}

/** @param {readonly { label: string, score: number }[]} scores best first @param {number} milliseconds */
function showScores(scores, milliseconds) {
  status.hidden = true;
  byId('answer').hidden = false;
  byId('label').textContent = scores[0]?.label ?? '';
  byId('time').textContent = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  byId('scores').replaceChildren(
    // In the order of their names, so that bars keep their places while one types.
    ...scores
      .toSorted((a, b) => (a.label < b.label ? -1 : 1))
      .map(({ label, score }) => {
        const meter = Object.assign(document.createElement('meter'), { min: 0, max: 1, value: score });
        meter.setAttribute('aria-label', label);
        const share = element('span', `${(100 * score).toFixed(1)} %`);
        share.className = 'share';
        const bar = document.createElement('dd');
        bar.append(meter, share);
        const row = document.createElement('div');
        row.append(element('dt', label), bar);
        return row;
      }),
  );
}

function showPrompt() {
  byId('answer').hidden = true;
  byId('scores').replaceChildren();
  status.hidden = false;
  status.textContent = 'Type a sentence, or choose one above.';
}

/** @param {import('@edgewise/runtime').SessionInfo} info */
function showEngine({ rung, mode, threads, memoryBytes, timings }) {
  const facts = {
    Engine: `WebAssembly, ${rung === 'relaxed' ? 'relaxed SIMD' : rung === 'simd' ? '128-bit SIMD' : rung}${mode ? `, mode ${mode}` : ''}`,
    Threads: threads === 1 ? '1' : `up to ${threads}`,
    Memory: `${(memoryBytes / 1e6).toFixed(1)} MB`,
    'Ready after': `${timings.readyMs.toFixed(0)} ms`,
  };
  byId('engine').replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  );
}

function showExamples() {
  byId('examples').replaceChildren(
    ...EXAMPLES.map((text) => {
      const button = Object.assign(element('button', text), { type: 'button' });
      button.addEventListener('click', () => {
        field.value = text;
        field.dispatchEvent(new Event('input'));
      });
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
}

/** After the model is there, so that storing does not compete with loading. */
async function storeForOffline() {
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register('./sw.js');
  await navigator.serviceWorker.ready;
  byId('offline').textContent = 'Stored: this page works without a network.';
}

/** @param {unknown} error */
function fail(error) {
  status.hidden = false;
  status.className = 'failed';
  status.textContent = error instanceof Error ? error.message : String(error);
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}`);
  return found;
}

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} text @returns {HTMLElementTagNameMap[T]} */
function element(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
