// Calls into pages/bench.mjs.
import process from 'node:process';

/**
 * A page of any engine that runs functions of ours.
 * @typedef {object} Evaluator
 * @property {(run: (given: any) => any, given?: unknown) => Promise<any>} evaluate the function's text goes to the page
 */

/**
 * A page of a browser that shows bench.html.
 * @param {import('playwright-core').Browser} browser @param {string} origin
 */
export async function openBenchPage(browser, origin) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => process.stderr.write(`page: ${error.message}\n`));
  await page.goto(`${origin}/bench.html`);
  await page.waitForFunction(() => 'bench' in globalThis);
  return page;
}

/**
 * @param {Evaluator} page @param {readonly object[]} specs
 * @returns {Promise<{ label: string, info: Record<string, unknown> }[]>}
 */
export async function openEngines(page, specs) {
  return page.evaluate((given) => Reflect.get(globalThis, 'bench').open(given), specs);
}

/**
 * @param {Evaluator} page @param {object} input @param {{ rounds: number, warmUp: number }} counts
 * @returns {Promise<Record<string, number[]>>}
 */
export async function measureEngines(page, input, counts) {
  return page.evaluate(([a, b]) => Reflect.get(globalThis, 'bench').measure(a, b), [input, counts]);
}

/** Different int8 grids of one model agree far better than this. */
const LEAST_COSINE = 0.98;

/**
 * Cosine of each engine's output with the first engine's; throws when they do not compute the same model.
 * @param {Evaluator} page @param {object} input @param {(label: string) => number} [leastOf] least cosine of an engine
 * @returns {Promise<{ label: string, cosine: number, length: number }[]>}
 */
export async function engineAgreement(page, input, leastOf = () => LEAST_COSINE) {
  const agreement = await page.evaluate((given) => Reflect.get(globalThis, 'bench').agreement(given), input);
  for (const { label, cosine } of agreement) {
    if (!(cosine >= leastOf(label)))
      throw new Error(`${label}: the output's cosine with the first engine's is ${cosine}`);
  }
  return agreement;
}

/**
 * The bits of each engine's output, as 32-bit integers by label.
 * @param {Evaluator} page @param {object} input @returns {Promise<Record<string, number[]>>}
 */
export async function outputBits(page, input) {
  return page.evaluate((given) => Reflect.get(globalThis, 'bench').bits(given), input);
}

/** @param {Evaluator} page @param {string} text @returns {Promise<number>} */
export async function countTokens(page, text) {
  return page.evaluate((given) => Reflect.get(globalThis, 'bench').tokens(given), text);
}

/** Billions of operations per second of a bare tile in this mode. @param {Evaluator} page @param {string} mode @returns {Promise<number>} */
export async function tilePeak(page, mode) {
  return page.evaluate((given) => Reflect.get(globalThis, 'bench').peakGops(given), mode);
}

/**
 * What the browser says the page and its workers hold, after garbage collection; the page must be isolated.
 * @param {Evaluator} page @returns {Promise<number>}
 */
export async function pageMemory(page) {
  return page.evaluate(async () => {
    const { bytes } = await Reflect.get(performance, 'measureUserAgentSpecificMemory').call(performance);
    return bytes;
  });
}
