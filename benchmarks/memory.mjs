// Peak memory of the engine against what the model needs: a Node process before and after, and a page's own figure.
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { launch, servePages } from './lib/browser.mjs';
import { runToEnd } from './lib/children.mjs';
import { edgewisePackage } from './lib/edgewise.mjs';
import { tokenIds } from './lib/inputs.mjs';
import { CACHE, modelFolder } from './lib/models.mjs';
import { measureEngines, openBenchPage, openEngines, pageMemory } from './lib/page.mjs';
import { note, printTable, short, writeResult } from './lib/report.mjs';
import { SHAPES, VOCABULARY } from './lib/shapes.mjs';
import { median } from './lib/statistics.mjs';

const MEBIBYTE = 2 ** 20;
/** Allowed above weights and arena. */
const ALLOWANCE = 8 * MEBIBYTE;
/** The whole arena is in use. */
const TOKENS = 512;
/** Later runs only add outputs that the garbage collector has not reached yet. */
const RUNS = 1;
const ROUNDS = 3;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const server = await servePages({ '/packages': join(CACHE, 'packages') });
  // Without the feature the browser answers only after its next garbage collection, up to half a minute later.
  const browser = await launch(['--enable-blink-features=ForceEagerMeasureMemory']);
  const cases = [];
  try {
    for (const shape of SHAPES.filter(({ name }) => name.includes(options.only ?? ''))) {
      const { name, task, inputs, output } = shape;
      const folder = modelFolder(options, name);
      const packaged = await edgewisePackage({ folder, name, task, recipe: 'w7a8-dynamic' });
      const { weightsBytes, arenaBytes } = packaged.model.memory;
      note(name);
      const inNode = await measureNode(packaged.folder);
      const page = await openBenchPage(browser, server.origin);
      // The browser's figure does not count WebAssembly memory; the engine's own is added to it.
      const before = await pageMemory(page);
      await openEngines(page, [
        { session: 'edgewise', label: name, url: `/packages/${packaged.id}`, inputs, output },
      ]);
      await measureEngines(
        page,
        { ids: tokenIds(TOKENS, VOCABULARY), text: '' },
        { rounds: RUNS, warmUp: 0 },
      );
      const after = await pageMemory(page);
      await page.close();
      const needed = weightsBytes + arenaBytes;
      cases.push({
        shape: name,
        weightsBytes,
        arenaBytes,
        engineBytes: inNode.memoryBytes,
        nodePeakBytes: inNode.peakBytes,
        pageBytes: after - before,
        overNeeded: {
          engine: inNode.memoryBytes - needed,
          node: inNode.peakBytes - needed,
          page: inNode.memoryBytes + after - before - needed,
          allowed: ALLOWANCE,
        },
      });
    }
  } finally {
    await browser.close();
    await server.close();
  }
  const mebibytes = (/** @type {number} */ bytes) => short(bytes / MEBIBYTE);
  printTable(
    cases.map(({ shape, weightsBytes, arenaBytes, overNeeded }) => ({
      shape,
      'weights, MiB': mebibytes(weightsBytes),
      'arena, MiB': mebibytes(arenaBytes),
      'above both: WebAssembly memory': mebibytes(overNeeded.engine),
      'Node process, peak': mebibytes(overNeeded.node),
      'page, after runs': mebibytes(overNeeded.page),
      bar: mebibytes(ALLOWANCE),
    })),
  );
  if (options.keep) writeResult('memory', { tokens: TOKENS, cases }, { chromium: browser.version() });
}

/** @param {string} folder */
async function measureNode(folder) {
  const child = fileURLToPath(new URL('lib/memory-child.mjs', import.meta.url));
  const args = ['--expose-gc', child, folder, String(TOKENS), String(RUNS)];
  const peaks = [];
  let memoryBytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout } = await runToEnd(process.execPath, args);
    /** @type {{ before: number, peak: number, memoryBytes: number }} */
    const measured = JSON.parse(stdout);
    peaks.push(measured.peak - measured.before);
    memoryBytes = measured.memoryBytes;
  }
  return { memoryBytes, peakBytes: median(peaks) };
}
