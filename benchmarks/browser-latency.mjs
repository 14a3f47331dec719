// Latency on one thread in one Chromium: our engine, onnxruntime-web and transformers.js take turns.
import { join } from 'node:path';
import { launch, servePages } from './lib/browser.mjs';
import { edgewisePackage } from './lib/edgewise.mjs';
import { textOf, tokenIds } from './lib/inputs.mjs';
import { CACHE, int8Variants, layOutForTransformers, modelFolder } from './lib/models.mjs';
import {
  countTokens,
  engineAgreement,
  measureEngines,
  openBenchPage,
  openEngines,
  tilePeak,
} from './lib/page.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { operations, SHAPES, VOCABULARY } from './lib/shapes.mjs';
import { leastRatio, median, pairedRatio, round, summarize } from './lib/statistics.mjs';

const RELAXED = 'edgewise relaxed';
const SIMD = 'edgewise simd';
const TASK = 'edgewise relaxed, from text';
const ORT = 'onnxruntime-web';
const TRANSFORMERS = 'transformers.js, from text';

/** Rounds by number of tokens: about the same time for each. */
const ROUNDS = { 16: 80, 128: 30, 512: 12 };
const WARM_UP = 3;
/** Largest ratio to onnxruntime-web that the project allows itself, on a CPU with AVX-VNNI for relaxed. */
/** @type {Readonly<Record<string, Readonly<Record<number, number>>>>} */
const BARS = { [RELAXED]: { 16: 0.45, 128: 0.38, 512: 0.45 }, [SIMD]: { 16: 0.75, 128: 0.75, 512: 0.75 } };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const server = await servePages({
    '/models': modelsRoot(options),
    '/packages': join(CACHE, 'packages'),
    '/transformers-models': join(CACHE, 'transformers'),
  });
  const browser = await launch();
  const cases = [];
  try {
    for (const shape of SHAPES.filter(({ name }) => name.includes(options.only ?? ''))) {
      cases.push(...(await measureShape(shape, options, browser, server.origin)));
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printTable(cases.flatMap(toRows));
  if (options.keep) writeResult('browser-latency', { threads: 1, cases }, { chromium: browser.version() });
}

/** @param {import('./run.mjs').Options} options */
function modelsRoot(options) {
  return join(modelFolder(options, 'minilm'), '..');
}

/**
 * @param {import('./lib/shapes.mjs').Shape} shape @param {import('./run.mjs').Options} options
 * @param {import('playwright-core').Browser} browser @param {string} origin
 */
async function measureShape(shape, options, browser, origin) {
  const folder = modelFolder(options, shape.name);
  const packaged = await edgewisePackage({
    folder,
    name: shape.name,
    task: shape.task,
    recipe: 'w7a8-dynamic',
  });
  const int8 = await fastestVariant(shape, folder, browser, origin);
  layOutForTransformers(folder, shape.name, int8);

  const page = await openBenchPage(browser, origin);
  const url = `/packages/${packaged.id}`;
  const { inputs, output, task: kind } = shape;
  const opened = await openEngines(page, [
    { session: 'onnxruntime', label: ORT, url: `/models/${shape.name}/${int8}`, inputs, output },
    { session: 'edgewise', label: RELAXED, url, inputs, output, options: { rung: 'relaxed' } },
    { session: 'edgewise', label: SIMD, url, inputs, output, options: { rung: 'simd' } },
    { task: 'edgewise', label: TASK, url, kind, options: { rung: 'relaxed' } },
    { task: 'transformers', label: TRANSFORMERS, url: `/transformers-models/${shape.name}`, kind },
  ]);
  const mode = opened.find(({ label }) => label === RELAXED)?.info['mode'];
  const peak = { [RELAXED]: await tilePeak(page, String(mode)), [SIMD]: await tilePeak(page, 'i16') };

  const cases = [];
  for (const [key, rounds] of Object.entries(ROUNDS)) {
    const tokens = Number(key);
    const input = { ids: tokenIds(tokens, VOCABULARY), text: textOf(join(folder, 'tokenizer.json'), tokens) };
    const counted = await countTokens(page, input.text);
    if (counted !== tokens) throw new Error(`the text has ${counted} tokens, not ${tokens}`);
    const agreement = await engineAgreement(page, input);
    note(`${shape.name}, ${tokens} tokens`);
    const times = await measureEngines(page, input, {
      rounds: Math.ceil(rounds * options.scale),
      warmUp: WARM_UP,
    });
    cases.push({
      shape: shape.name,
      tokens,
      mode,
      onnxruntimeModel: int8,
      agreement,
      engines: Object.entries(times).map(([label, values]) =>
        describe(label, values, times, shape, tokens, peak),
      ),
    });
  }
  await page.close();
  return cases;
}

/**
 * Tries onnxruntime's int8 variants of a model in onnxruntime-web, each in a fresh page.
 * @param {import('./lib/shapes.mjs').Shape} shape @param {string} folder
 * @param {import('playwright-core').Browser} browser @param {string} origin
 */
async function fastestVariant(shape, folder, browser, origin) {
  const input = { ids: tokenIds(128, VOCABULARY), text: '' };
  let best = { name: '', time: Infinity };
  for (const name of int8Variants(folder)) {
    const page = await openBenchPage(browser, origin);
    const { inputs, output } = shape;
    await openEngines(page, [
      { session: 'onnxruntime', label: ORT, url: `/models/${shape.name}/${name}`, inputs, output },
    ]);
    const { [ORT]: times = [] } = await measureEngines(page, input, { rounds: 7, warmUp: 2 });
    await page.close();
    const time = Math.min(...times);
    note(`${shape.name}: onnxruntime-web takes ${time.toFixed(1)} ms for ${name}`);
    if (time < best.time) best = { name, time };
  }
  return best.name;
}

/**
 * @param {string} label @param {readonly number[]} values @param {Record<string, number[]>} times
 * @param {import('./lib/shapes.mjs').Shape} shape @param {number} tokens @param {Readonly<Record<string, number>>} peak
 */
function describe(label, values, times, shape, tokens, peak) {
  const rival = label === TASK ? TRANSFORMERS : ORT;
  const gops = operations(shape, tokens) / median(values) / 1e6;
  const bestGops = operations(shape, tokens) / Math.min(...values) / 1e6;
  const ceiling = peak[label];
  return {
    engine: label,
    ms: summarize(values),
    ratioTo: rival,
    ratio: pairedRatio(values, times[rival] ?? []),
    leastRatio: leastRatio(values, times[rival] ?? []),
    gops: round(gops),
    bestGops: round(bestGops),
    ...(ceiling === undefined ? {} : { shareOfPeak: round(bestGops / ceiling), peakGops: round(ceiling) }),
    bar: BARS[label]?.[tokens],
  };
}

/** @param {Awaited<ReturnType<typeof measureShape>>[number]} measured */
function toRows({ shape, tokens, mode, engines }) {
  return engines.map(({ engine, ms, ratioTo, ratio, leastRatio: least, bestGops, shareOfPeak, bar }) => ({
    shape,
    tokens,
    engine: engine === RELAXED ? `${engine} (${String(mode)})` : engine,
    'ms (p10–p90)': spread(ms),
    ratio: engine === ratioTo ? '' : spread(ratio),
    'of least': engine === ratioTo ? '' : short(least),
    to: engine === ratioTo ? '' : ratioTo,
    bar: bar ?? '',
    'best GOPS': Math.round(bestGops),
    'of peak': shareOfPeak === undefined ? '' : `${Math.round(shareOfPeak * 100)} %`,
  }));
}
