// Measures one shape for native.mjs: node native-child.mjs MODELS SHAPE SCALE. Prints JSON. A process of its own: in one
// that had held other models before, our engine in Node was seen to run at half its speed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createSession } from '@edgewise/runtime/node';
import { launch, servePages } from './browser.mjs';
import { edgewisePackage } from './edgewise.mjs';
import { tokenIds } from './inputs.mjs';
import { CACHE, int8Variants, modelFolder } from './models.mjs';
import { CHROMIUM, NATIVE, NODE, TOKENS } from './native-engines.mjs';
import { measureEngines, openBenchPage, openEngines } from './page.mjs';
import { note } from './report.mjs';
import { SHAPES, VOCABULARY } from './shapes.mjs';

const ROUNDS = 40;
const WARM_UP = 3;

const [models = '', wanted = '', scale = '1'] = process.argv.slice(2);
const shape = SHAPES.find(({ name }) => name === wanted);
if (!shape) throw new Error(`there is no shape ${wanted}`);
const server = await servePages({ '/packages': join(CACHE, 'packages') });
const browser = await launch();
try {
  const page = await openBenchPage(browser, server.origin);
  const measured = await measureShape(shape, page);
  process.stdout.write(JSON.stringify({ ...measured, chromium: browser.version() }));
} finally {
  await browser.close();
  await server.close();
}

/** @param {import('./shapes.mjs').Shape} measured @param {import('playwright-core').Page} page */
async function measureShape(measured, page) {
  const { name, task, inputs, output } = measured;
  const folder = modelFolder({ models }, name);
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
  for (let round = -WARM_UP; round < ROUNDS * Number(scale); round++) {
    for (const [label, take] of Object.entries(engines)) {
      const ms = await take();
      if (round >= 0) times[label]?.push(ms);
    }
  }
  await native.close();
  session.dispose();
  const modes = { node: session.info.mode, chromium: chromium?.info['mode'] };
  return { onnxruntimeModel: variant, modes, times };
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
