// Two threads against one on a classifier and on detectors, float32 and int8, in a cross-origin isolated page.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { launch, servePages } from './lib/browser.mjs';
import { CACHE } from './lib/models.mjs';
import { engineAgreement, measureEngines, openBenchPage } from './lib/page.mjs';
import { note, writeResult } from './lib/report.mjs';
import { openThreads, printThreads, threadSpeeds, TWO } from './lib/thread-speed.mjs';
import { NETWORKS, OTHER_NETWORKS } from './lib/vision.mjs';
import { prepare } from './vision-latency.mjs';

const CLASSIFIER = 'mobilenet_v2_1.0_224_deq';
const FORMS = ['float', 'int8', 'int8-w7'];
const ROUNDS = 60;
/** Least speed-up. */
const BAR = 1.6;
const INPUT = { ids: [], text: '' };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = join(CACHE, 'vision-threads');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const networks = [...NETWORKS, ...OTHER_NETWORKS].filter(
    ({ name, folder: kind }) =>
      (name === CLASSIFIER || kind === 'detection') && name.includes(options.only ?? ''),
  );
  const server = await servePages({ '/vision': folder });
  const browser = await launch();
  const cases = [];
  try {
    for (const network of networks) {
      const image = await prepare(network, folder);
      for (const form of FORMS) {
        const page = await openBenchPage(browser, server.origin);
        const url = `/vision/${network.name}.${form}`;
        const opened = await openThreads(page, { session: 'edgewise', url, image });
        const agreement = await engineAgreement(page, INPUT);
        note(`${network.name}, ${form}`);
        const rounds = Math.ceil(ROUNDS * options.scale);
        const times = await measureEngines(page, INPUT, { rounds, warmUp: 5 });
        await page.close();
        const engines = threadSpeeds(opened, times, { [TWO]: BAR });
        cases.push({ model: network.name, form, agreement, engines });
      }
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printThreads(cases.map(({ model, form, engines }) => ({ facts: { model, form }, engines })));
  if (options.keep) writeResult('vision-threads', { cases }, { chromium: browser.version() });
}
