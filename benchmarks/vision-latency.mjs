// Latency of convolutional networks on one thread in one Chromium: our engine and onnxruntime-web take turns, float and int8.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  buildPackage,
  compactConvNet,
  compileEdge,
  expandEdgewise,
  observeConvNet,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  tabulateBytes,
  writeOnnx,
} from '@edgewise/compiler';
import { launch, servePages } from './lib/browser.mjs';
import { CACHE } from './lib/models.mjs';
import { observeWith } from './lib/onnxruntime.mjs';
import { measureEngines, openBenchPage, openEngines } from './lib/page.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';
import { loadFeeds } from './lib/subjects/images.mjs';
import { ASSETS, NETWORKS, OTHER_NETWORKS } from './lib/vision.mjs';

const CALIBRATION_IMAGES = 8;
const ROUNDS = 60;
const WARM_UP = 5;
const FLOAT = 'onnxruntime-web float32';
const INT8 = 'onnxruntime-web int8';

/** Largest ratio to the faster of onnxruntime-web's: MobileNets on a CPU with AVX-VNNI and without relaxed SIMD, detectors, other networks, float32. */
const BARS = { mobilenet: { relaxed: 0.17, simd: 0.35 }, detector: 0.35, other: 0.5, float: 0.65 };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = join(CACHE, 'vision-latency');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await servePages({ '/vision': folder });
  const browser = await launch();
  const cases = [];
  try {
    const networks = [...NETWORKS, ...OTHER_NETWORKS];
    for (const network of networks.filter(({ name }) => name.includes(options.only ?? ''))) {
      const shape = await prepare(network, folder);
      if (shape === undefined) continue;
      const page = await openBenchPage(browser, server.origin);
      const opened = await openEngines(page, visionEngines(network.name, shape));
      note(network.name);
      const times = await measureEngines(
        page,
        { ids: [], text: '' },
        { rounds: Math.ceil(ROUNDS * options.scale), warmUp: WARM_UP },
      );
      await page.close();
      cases.push({ model: network.name, engines: describe(network, times), opened });
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printTable(
    cases.flatMap(({ model, engines: rows }) =>
      rows.map(({ engine, ms, ratio, least, bar }) => ({
        model,
        engine,
        'ms (p10–p90)': spread(ms),
        ratio: spread(ratio),
        'of least': short(least),
        bar: bar ?? '',
      })),
    ),
  );
  if (options.keep)
    writeResult('vision-latency', { threads: 1, bars: BARS, cases }, { chromium: browser.version() });
}

/** @param {string} name @param {readonly number[]} shape */
export function visionEngines(name, shape) {
  const edgewise = (/** @type {string} */ what, /** @type {'relaxed' | 'simd'} */ rung) => ({
    session: 'edgewise',
    label: `edgewise ${what}, ${rung}`,
    url: `/vision/${name}.${what}`,
    image: shape,
    options: { rung },
  });
  const onnxruntime = (/** @type {string} */ label, /** @type {string} */ file) => ({
    session: 'onnxruntime',
    label,
    url: `/vision/${name}.${file}.onnx`,
    image: shape,
  });
  return [
    onnxruntime(FLOAT, 'float'),
    onnxruntime(INT8, 'int8'),
    edgewise('float', 'simd'),
    edgewise('int8', 'relaxed'),
    edgewise('int8', 'simd'),
    edgewise('int8-w7', 'relaxed'),
  ];
}

/**
 * Writes a network's models and packages; its input's shape, or undefined where the engine cannot run it.
 * @param {import('./lib/vision.mjs').Sampled} network @param {string} folder
 */
export async function prepare(network, folder) {
  const file = join(ASSETS, 'models', network.folder ?? 'vision', `${network.name}.onnx`);
  const source = readOnnx(readFileSync(file));
  const { model } = await runPasses(source, [...compactConvNet(), separateActivations()]);
  const images = await loadFeeds(file, network.calibration().slice(0, CALIBRATION_IMAGES));
  const statistics = await observeWith(model, images, observeConvNet);
  const { model: float } = await runPasses(source, compactConvNet());
  try {
    await writePackage(folder, `${network.name}.float`, float);
    for (const [what, weightBits] of /** @type {const} */ ([
      ['int8', 8],
      ['int8-w7', 7],
    ])) {
      const { model: quantized } = await runPasses(model, [
        quantizeConvNet({ statistics, weightBits, noiseLimit: 1 }),
      ]);
      writeFileSync(join(folder, `${network.name}.${what}.onnx`), writeOnnx(expandEdgewise(quantized)).bytes);
      await writePackage(
        folder,
        `${network.name}.${what}`,
        (await runPasses(quantized, [tabulateBytes()])).model,
      );
    }
  } catch (error) {
    note(`${network.name}: left out. ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
  writeFileSync(join(folder, `${network.name}.float.onnx`), writeOnnx(expandEdgewise(float)).bytes);
  return Object.values(images[0] ?? {})[0]?.dims;
}

/** @param {string} folder @param {string} name @param {import('@edgewise/compiler').Model} model */
export async function writePackage(folder, name, model) {
  const { model: edge, files } = compileEdge(model);
  const target = join(folder, name);
  mkdirSync(target, { recursive: true });
  const description = { name, task: 'benchmark' };
  for (const [file, bytes] of await buildPackage({ description, model: edge, files }))
    writeFileSync(join(target, basename(file)), bytes);
}

/** @param {import('./lib/vision.mjs').Sampled} network @param {Record<string, number[]>} times */
function describe(network, times) {
  const least = (/** @type {string} */ label) => Math.min(...(times[label] ?? []));
  const rival = least(FLOAT) < least(INT8) ? FLOAT : INT8;
  return Object.entries(times).map(([engine, values]) => {
    const against = engine.startsWith('edgewise float') ? FLOAT : rival;
    return {
      engine,
      ms: summarize(values),
      ratioTo: against,
      ratio: pairedRatio(values, times[against] ?? []),
      least: leastRatio(values, times[against] ?? []),
      bar: barOf(network, engine),
    };
  });
}

/** @param {import('./lib/vision.mjs').Sampled} network @param {string} engine */
function barOf({ name, folder }, engine) {
  if (!engine.startsWith('edgewise')) return undefined;
  if (engine.includes('float')) return BARS.float;
  if (folder === 'detection') return BARS.detector;
  if (!name.startsWith('mobilenet')) return BARS.other;
  return engine.includes('simd') ? BARS.mobilenet.simd : BARS.mobilenet.relaxed;
}
