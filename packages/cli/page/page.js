// What the pages of all tasks share: the model is loaded, used, and kept for use without a network.

/** Typing faster than this asks once. */
const TYPING_PAUSE_MS = 120;

/**
 * Loads the model, then lets it be used.
 * @template {{ info: import('@edgewise/runtime').SessionInfo }} Model
 * @param {(source: string) => Promise<Model>} load
 * @param {(model: Model) => void | Promise<void>} use
 */
export async function runPage(load, use) {
  try {
    const model = await load('./model/');
    showEngine(model.info);
    await use(model);
    await storeForOffline();
  } catch (error) {
    fail(error);
  }
}

/**
 * Calls `update` now, and whenever something has been typed into the form. One update at a time: what is typed while one
 * runs is seen by the next.
 * @param {() => Promise<void>} update
 */
export function whileTyping(update) {
  const form = byId('form');
  let pause = 0;
  let running = false;
  let waiting = true;
  const run = async () => {
    pause = 0;
    if (running) return;
    running = true;
    while (waiting && pause === 0) {
      waiting = false;
      await update().catch(fail);
    }
    running = false;
    showBusy(waiting);
  };
  form.addEventListener('input', () => {
    waiting = true;
    showBusy(true);
    clearTimeout(pause);
    pause = window.setTimeout(() => void run(), TYPING_PAUSE_MS);
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  void run();
}

/**
 * Buttons that put a text into a field.
 * @param {readonly string[]} texts @param {HTMLTextAreaElement} field
 */
export function showExamples(texts, field) {
  byId('examples').replaceChildren(
    ...texts.map((text) => {
      const button = element('button', text);
      button.type = 'button';
      button.addEventListener('click', () => {
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
}

/** @param {string} text what to do, shown where the answer will be */
export function showPrompt(text) {
  byId('answer').hidden = true;
  const status = byId('status');
  status.hidden = false;
  status.className = '';
  status.textContent = text;
}

/** @param {string} answer @param {number} milliseconds */
export function showAnswer(answer, milliseconds) {
  byId('status').hidden = true;
  byId('answer').hidden = false;
  byId('label').textContent = answer;
  byId('time').textContent = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/**
 * A bar from 0 to 1 with its value as text.
 * @param {string} label @param {number} value @param {string} text
 */
export function bar(label, value, text) {
  const meter = Object.assign(document.createElement('meter'), { min: 0, max: 1, value });
  meter.setAttribute('aria-label', label);
  const share = element('span', text);
  share.className = 'share';
  return [meter, share];
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}`);
  return found;
}

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} text @returns {HTMLElementTagNameMap[T]} */
export function element(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}

/**
 * A list of labels, each with a bar from 0 to 1.
 * @param {readonly { label: string, score: number }[]} rows
 */
export function showBars(rows) {
  byId('scores').replaceChildren(
    ...rows.map(({ label, score }) => {
      const value = document.createElement('dd');
      value.append(...bar(label, score, `${(100 * score).toFixed(1)} %`));
      const row = document.createElement('div');
      row.append(element('dt', label), value);
      return row;
    }),
  );
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

/** After the model is there, so that storing does not compete with loading. */
async function storeForOffline() {
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register('./sw.js');
  await navigator.serviceWorker.ready;
  byId('offline').textContent = 'Stored: this page works without a network.';
}

/** @param {boolean} busy */
export function showBusy(busy) {
  byId('result').setAttribute('aria-busy', String(busy));
}

/** @param {unknown} error */
export function fail(error) {
  showPrompt(error instanceof Error ? error.message : String(error));
  byId('status').className = 'failed';
  showBusy(false);
}
