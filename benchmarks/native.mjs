// Our engine in Node and in Chromium against native onnxruntime, one thread each, taking turns.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createSession } from '@edgewise/runtime/node';
import { launch, servePages } from './lib/browser.mjs';
import { edgewisePackage } from './lib/edgewise.mjs';
import { tokenIds } from './lib/inputs.mjs';
import { CACHE, int8Variants, modelFolder } from './lib/models.mjs';
import { measureEngines, openBenchPage, openEngines } from './lib/page.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { SHAPES, VOCABULARY } from './lib/shapes.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';

const NATIVE = 'onnxruntime-node';
const NODE = 'edgewise in Node';
const CHROMIUM = 'edgewise in Chromium';
const TOKENS = 128;
const ROUNDS = 40;
const WARM_UP = 3;
/** Largest ratio to native onnxruntime. */
const BAR = 2.2;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const server = await servePages({ '/packages': join(CACHE, 'packages') });
  const browser = await launch();
  const cases = [];
  try {
    for (const shape of SHAPES.filter(({ name }) => name.includes(options.only ?? ''))) {
      const page = await openBenchPage(browser, server.origin);
      cases.push(await measureShape(shape, options, page));
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printTable(
    cases.flatMap(({ shape, engines }) =>
      engines.map(({ engine, ms, ratio, leastRatio: least }) => ({
        shape,
        tokens: TOKENS,
        engine,
        'ms (p10–p90)': spread(ms),
        ratio: engine === NATIVE ? '' : spread(ratio),
        'of least': engine === NATIVE ? '' : short(least),
        bar: engine === NATIVE ? '' : BAR,
      })),
    ),
  );
  if (options.keep)
    writeResult('native', { threads: 1, tokens: TOKENS, cases }, { chromium: browser.version() });
}

/**
 * @param {import('./lib/shapes.mjs').Shape} shape @param {import('./run.mjs').Options} options
 * @param {import('playwright-core').Page} page
 */
async function measureShape(shape, options, page) {
  const { name, task, inputs, output } = shape;
  const folder = modelFolder(options, name);
  const packaged = await edgewisePackage({ folder, name, task, recipe: 'w7a8-dynamic' });
  const ids = tokenIds(TOKENS, VOCABULARY);
  const variant = await fastestVariant(folder, ids);
  const native = await openNative(join(folder, variant), ids);
  const session = await createSession(packaged.folder, { threads: 1 });
  const [chromium] = await openEngines(page, [
    { session: 'edgewise', label: CHROMIUM, url: `/packages/${packaged.id}`, inputs, output },
  ]);
  note(`${name}: onnxruntime-node with ${variant}`);

  /** @type {Record<string, () => Promise<number>>} */
  const engines = {
    [NATIVE]: () => timed(native.run),
    [NODE]: () => timed(() => session.run({ input_ids: ids })),
    [CHROMIUM]: async () => {
      const times = await measureEngines(page, { ids, text: '' }, { rounds: 1, warmUp: 0 });
      return times[CHROMIUM]?.[0] ?? NaN;
    },
  };
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(engines).map((label) => [label, []]));
  for (let round = -WARM_UP; round < ROUNDS * options.scale; round++) {
    for (const [label, take] of Object.entries(engines)) {
      const ms = await take();
      if (round >= 0) times[label]?.push(ms);
    }
  }
  await native.close();
  session.dispose();
  return {
    shape: name,
    onnxruntimeModel: variant,
    modes: { node: session.info.mode, chromium: chromium?.info['mode'] },
    engines: Object.entries(times).map(([engine, values]) => ({
      engine,
      ms: summarize(values),
      ratio: pairedRatio(values, times[NATIVE] ?? []),
      leastRatio: leastRatio(values, times[NATIVE] ?? []),
      bar: engine === NATIVE ? undefined : BAR,
    })),
  };
}

/** @param {string} folder @param {readonly number[]} ids */
async function fastestVariant(folder, ids) {
  let best = { name: '', time: Infinity };
  for (const name of int8Variants(folder)) {
    const { run: once, close } = await openNative(join(folder, name), ids);
    const times = [];
    for (let round = 0; round < 12; round++) times.push(await timed(once));
    await close();
    const time = Math.min(...times);
    if (time < best.time) best = { name, time };
  }
  return best.name;
}

/** @param {string} file @param {readonly number[]} ids */
async function openNative(file, ids) {
  const session = await InferenceSession.create(readFileSync(file), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(
    session.inputMetadata.map((input) => {
      const { name } = input;
      const values = ids.map((id) => (name === 'input_ids' ? id : name === 'attention_mask' ? 1 : 0));
      const wide = input.isTensor && input.type === 'int64';
      const tensor = wide
        ? new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length])
        : new Tensor('int32', Int32Array.from(values), [1, ids.length]);
      return [name, tensor];
    }),
  );
  return { run: () => session.run(feeds), close: () => session.release() };
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
