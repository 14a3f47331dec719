// Two threads against one, in a cross-origin isolated page; both sessions run in workers.
import { join } from 'node:path';
import { launch, servePages } from './lib/browser.mjs';
import { edgewisePackage } from './lib/edgewise.mjs';
import { tokenIds } from './lib/inputs.mjs';
import { CACHE, modelFolder } from './lib/models.mjs';
import { engineAgreement, measureEngines, openBenchPage } from './lib/page.mjs';
import { note, writeResult } from './lib/report.mjs';
import { SHAPES, VOCABULARY } from './lib/shapes.mjs';
import { AUTO, openThreads, printThreads, threadSpeeds, TWO } from './lib/thread-speed.mjs';

const ROUNDS = { 16: 100, 128: 40, 512: 12 };
/** Least speed-up. At 16 tokens it is what the engine chooses that must not lose; a few percent are noise. */
const BARS = { 16: { [AUTO]: 1 }, 128: { [TWO]: 1.6 } };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const server = await servePages({ '/packages': join(CACHE, 'packages') });
  const browser = await launch();
  const cases = [];
  try {
    for (const shape of SHAPES.filter(({ name }) => name.includes(options.only ?? ''))) {
      const { name, task, inputs, output } = shape;
      const folder = modelFolder(options, name);
      const packaged = await edgewisePackage({ folder, name, task, recipe: 'w7a8-dynamic' });
      const page = await openBenchPage(browser, server.origin);
      const spec = { session: 'edgewise', url: `/packages/${packaged.id}`, inputs, output };
      const opened = await openThreads(page, spec);
      for (const [key, rounds] of Object.entries(ROUNDS)) {
        const tokens = /** @type {keyof typeof ROUNDS} */ (Number(key));
        const input = { ids: tokenIds(tokens, VOCABULARY), text: '' };
        const agreement = await engineAgreement(page, input);
        note(`${name}, ${tokens} tokens`);
        const times = await measureEngines(page, input, {
          rounds: Math.ceil(rounds * options.scale),
          warmUp: 5,
        });
        cases.push({
          shape: name,
          tokens,
          agreement,
          engines: threadSpeeds(
            opened,
            times,
            /** @type {Record<number, Record<string, number>>} */ (BARS)[tokens],
          ),
        });
      }
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printThreads(cases.map(({ shape, tokens, engines }) => ({ facts: { shape, tokens }, engines })));
  if (options.keep) writeResult('threads', { cases }, { chromium: browser.version() });
}
