// Uses a page that 'edgewise optimize' made, in any engine.
import { serveStatic } from '../../packages/test-utils/dist/static-server.js';

/**
 * What a page answers to its examples, in their order: the label and the scores as they are shown.
 * @typedef {{ label: string, scores: string }[]} Answers
 * @typedef {object} SiteUse
 * @property {string} engine what the page says of the engine
 * @property {Answers} answers
 * @property {boolean} stored whether the page says that it works without a network
 * @property {Answers} [offline] answers after a reload without a server; only where `stored`
 * @property {string} [file] answer to a picture in the file picker
 * @property {string} [wrongFile] what the page says to a file that is no picture
 * @property {string} [camera] what the page says of the camera's frames, or why there are none
 */

/**
 * Opens a site, asks for all its examples, hands it files if it takes any, and asks again without a network.
 * @param {import('./engines/index.mjs').EnginePage} page @param {string} folder of the site @returns {Promise<SiteUse>}
 */
export async function useSite(page, folder) {
  const server = await serveStatic({ root: folder, isolated: true });
  try {
    await page.goto(`${server.origin}/`);
    const answers = await page.evaluate(askForExamples);
    // Before the files, for the last of them leaves an error on the page.
    const camera = await page.evaluate(useCamera);
    const files = await page.evaluate(chooseFiles);
    const facts = { ...(await page.evaluate(waitUntilStored)), ...files, ...camera, answers };
    await server.close();
    if (!facts.stored) return facts;
    await page.goto(`${server.origin}/`);
    return { ...facts, offline: await page.evaluate(askForExamples) };
  } finally {
    await server.close();
  }
}

/** In the page: clicks every example and waits for its answer. */
async function askForExamples() {
  const text = (/** @type {string} */ id) => document.getElementById(id)?.textContent?.trim() ?? '';
  const until = async (/** @type {() => boolean} */ holds) => {
    const end = performance.now() + 60_000;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`no answer in a minute: ${text('result')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const isIdle = () => document.getElementById('result')?.getAttribute('aria-busy') === 'false';
  const failed = () => document.querySelector('#status.failed:not([hidden])')?.textContent;
  await until(isIdle);
  const answers = [];
  for (const button of document.querySelectorAll('#examples button')) {
    // Whatever shows next is new.
    const label = document.getElementById('label');
    if (label) label.textContent = '';
    /** @type {HTMLButtonElement} */ (button).click();
    await until(() => (text('label') !== '' && isIdle()) || Boolean(failed()));
    const problem = failed();
    if (problem) throw new Error(problem);
    answers.push({ label: text('label'), scores: text('scores') });
  }
  return answers;
}

/** In the page: a picture, then a text, in the file picker. */
async function chooseFiles() {
  const input = /** @type {HTMLInputElement | null} */ (document.getElementById('file'));
  const picture = document.querySelector('#examples img');
  if (!input || !picture) return {};
  const answerTo = async (/** @type {File} */ file, /** @type {string} */ shown) => {
    const said = () => document.querySelector(shown)?.textContent ?? '';
    const label = document.getElementById('label');
    if (label) label.textContent = '';
    const data = new DataTransfer();
    data.items.add(file);
    input.files = data.files;
    input.dispatchEvent(new Event('change'));
    for (let tries = 0; said() === '' && tries < 1000; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return said();
  };
  const blob = await (await fetch(/** @type {HTMLImageElement} */ (picture).src)).blob();
  return {
    file: await answerTo(new File([blob], 'picture.png', { type: blob.type }), '#label'),
    wrongFile: await answerTo(new File(['no picture'], 'notes.txt'), '#status.failed'),
  };
}

/** In the page: follows the camera for some frames. */
async function useCamera() {
  const button = document.getElementById('camera');
  if (!button) return {};
  if (button.hidden) return { camera: 'the page offers no camera' };
  button.click();
  const times = () => document.querySelector('#frames figcaption')?.textContent ?? '';
  const failed = () => document.querySelector('#status.failed:not([hidden])')?.textContent;
  for (let tries = 0; !/last \d\d/.test(times()) && !failed() && tries < 1500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  if (!failed()) button.click();
  return { camera: failed() ?? times() };
}

/** In the page: waits until it is stored for use without a network, for as long as that may take. */
async function waitUntilStored() {
  const isStored = () => document.getElementById('offline')?.textContent?.startsWith('Stored') ?? false;
  for (let tries = 0; !isStored() && tries < 500; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return { stored: isStored(), engine: document.getElementById('engine')?.textContent ?? '' };
}
