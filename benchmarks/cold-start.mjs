// Navigation to the first answer, in a new browser with an empty profile per load; the same model, tokenizer library
// and page on our runtime and on onnxruntime-web.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, servePages } from './lib/browser.mjs';
import { edgewisePackage } from './lib/edgewise.mjs';
import { CACHE, int8Variants, modelFolder } from './lib/models.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';

const WORKER = 'edgewise (worker, the default)';
const PAGE = "edgewise (page's thread)";
const ORT = "onnxruntime-web (page's thread)";
const TEXT = 'a quiet, generous film that stays with you';
const ROUNDS = 11;
const THROTTLES = [1, 4];
/** Largest share of onnxruntime-web's time. */
const BAR = 0.25;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const name = 'sst2-tiny';
  const folder = modelFolder(options, name);
  const file = int8Variants(folder)[0] ?? '';
  const packaged = await edgewisePackage({
    folder,
    name,
    task: 'text-classification',
    recipe: 'w7a8-dynamic',
    maxSequence: 128,
  });
  const server = await servePages(
    {
      '/models': join(folder, '..'),
      '/packages': join(CACHE, 'packages'),
      '/tokenizers': fileURLToPath(new URL('../node_modules/@huggingface/tokenizers/dist', import.meta.url)),
    },
    { isolated: false },
  );
  const text = encodeURIComponent(TEXT);
  const ours = `/cold-edgewise.html?text=${text}&package=/packages/${packaged.id}`;
  const pages = {
    [WORKER]: `${ours}&worker=true`,
    [PAGE]: `${ours}&worker=false`,
    [ORT]: `/cold-onnxruntime.html?text=${text}&model=/models/${name}&file=${file}`,
  };
  const cases = [];
  let chromium = '';
  try {
    for (const throttle of THROTTLES) {
      /** @type {Record<string, Awaited<ReturnType<typeof coldLoad>>[]>} */
      const loads = Object.fromEntries(Object.keys(pages).map((label) => [label, []]));
      for (let round = 0; round < Math.max(2, ROUNDS * options.scale); round++) {
        for (const [label, path] of Object.entries(pages)) {
          const load = await coldLoad(`${server.origin}${path}`, throttle);
          chromium = load.version;
          loads[label]?.push(load);
        }
        note(`throttle ${throttle}×, round ${round + 1}`);
      }
      const ms = (/** @type {string} */ label) => (loads[label] ?? []).map(({ answerMs }) => answerMs);
      cases.push({
        throttle,
        pages: Object.entries(loads).map(([label, values]) => ({
          page: label,
          answer: values[0]?.label,
          answerMs: summarize(ms(label)),
          firstRunMs: summarize(values.map(({ firstRunMs }) => firstRunMs)),
          ratio: pairedRatio(ms(label), ms(ORT)),
          leastRatio: leastRatio(ms(label), ms(ORT)),
          bar: label === ORT ? undefined : BAR,
        })),
      });
    }
  } finally {
    await server.close();
  }
  printTable(
    cases.flatMap(({ throttle, pages: measured }) =>
      measured.map(({ page, answerMs, firstRunMs, ratio, leastRatio: least, bar }) => ({
        'CPU throttle': `${throttle}×`,
        page,
        'first answer, ms (p10–p90)': spread(answerMs),
        'its run, ms': spread(firstRunMs),
        ratio: bar === undefined ? '' : spread(ratio),
        'of least': bar === undefined ? '' : short(least),
        bar: bar ?? '',
      })),
    ),
  );
  if (options.keep) writeResult('cold-start', { model: name, onnxruntimeModel: file, cases }, { chromium });
}

/**
 * @param {string} url @param {number} throttle the page's main thread is slowed by this factor; workers and the threads
 * that compile WebAssembly are not, which is why both of ours are measured
 * @returns {Promise<{ answerMs: number, firstRunMs: number, label: string, version: string }>}
 */
async function coldLoad(url, throttle) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    if (throttle > 1) {
      const session = await page.context().newCDPSession(page);
      await session.send('Emulation.setCPUThrottlingRate', { rate: throttle });
    }
    // The page says it by itself: a question asked of it would be a script of the driver's on its main thread.
    const answered = page.waitForEvent('console', {
      predicate: (message) => message.type() === 'info',
      timeout: 60_000,
    });
    await page.goto(url, { waitUntil: 'commit' });
    return { ...JSON.parse((await answered).text()), version: browser.version() };
  } finally {
    await browser.close();
  }
}
