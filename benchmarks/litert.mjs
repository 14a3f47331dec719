// Latency on one thread in one Chromium page: our engine and LiteRT.js take turns on the same networks, float and int8.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOnnx, runPasses } from '@edgewise/compiler';
import { readAudioModel } from './lib/audio.mjs';
import { launch, servePages } from './lib/browser.mjs';
import { layOutLiteRt, LITERT_NETWORKS, readTfliteFile, tfliteValues } from './lib/litert.mjs';
import { CACHE } from './lib/models.mjs';
import { engineAgreement, measureEngines, openBenchPage, openEngines } from './lib/page.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';
import { readTflite } from './lib/tflite.mjs';
import { prepare, writePackage } from './vision-latency.mjs';

const ROUNDS = 60;
const WARM_UP = 5;
/** Largest ratio to LiteRT.js on the file of the same kind. */
const BAR = 0.7;
const KINDS = /** @type {const} */ (['float', 'int8']);
/**
 * Least cosine with LiteRT's output: of float with float, which differ in the order of sums alone; of our 8-bit weights; and of
 * 7-bit ones in all layers, where `optimize` would keep some in 8 bits or in float.
 */
const LEAST_COSINES = { float: 0.9999, int8: 0.98, sevenBits: 0.9 };

/** What a page is asked to run, which says nothing to engines that have their input. */
const INPUT = { ids: [], text: '' };

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = join(CACHE, 'litert');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  layOutLiteRt(join(folder, 'library'));
  const server = await servePages({ '/vision': folder, '/litert': join(folder, 'library') });
  const browser = await launch();
  const cases = [];
  try {
    for (const network of LITERT_NETWORKS.filter(({ onnx }) => onnx.name.includes(options.only ?? ''))) {
      const { name } = network.onnx;
      const packages = await writePackages(network, folder);
      const page = await openBenchPage(browser, server.origin);
      const opened = await openEngines(page, await engines(network, packages, folder));
      const hasFloat = network.float !== undefined;
      const agreement = await engineAgreement(page, INPUT, (label) => leastCosine(label, hasFloat));
      note(name);
      const rounds = Math.ceil(ROUNDS * options.scale);
      const times = await measureEngines(page, INPUT, { rounds, warmUp: WARM_UP });
      await page.close();
      cases.push({ model: name, engines: describe(times), opened, agreement });
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printTable(
    cases.flatMap(({ model, engines: rows, agreement }) =>
      rows.map(({ engine, ms, ratio, least, bar }) => ({
        model,
        engine,
        cosine: short(agreement.find(({ label }) => label === engine)?.cosine ?? NaN),
        'ms (p10–p90)': spread(ms),
        ratio: spread(ratio),
        'of least': short(least),
        bar: bar ?? '',
      })),
    ),
  );
  if (options.keep) writeResult('litert', { threads: 1, bar: BAR, cases }, { chromium: browser.version() });
}

/** What is measured of ours, by the endings of the packages. @param {import('./lib/litert.mjs').LiteRtNetwork} network @param {string} folder */
async function writePackages({ onnx, passes }, folder) {
  if (!passes) {
    await prepare(onnx, folder);
    return ['float', 'int8', 'int8-w7'];
  }
  const { model } = await runPasses(readOnnx(readAudioModel(onnx.name)), passes);
  await writePackage(folder, `${onnx.name}.float`, model);
  return ['float'];
}

/** @param {import('./lib/litert.mjs').LiteRtNetwork} network @param {readonly string[]} packages @param {string} folder */
async function engines({ onnx, ...files }, packages, folder) {
  const [sample] = onnx.calibration();
  if (!sample) throw new Error(`${onnx.name} has no samples`);
  const values = await sample.read();
  const edgewise = (/** @type {string} */ what, /** @type {string} */ rung) => ({
    session: 'edgewise',
    label: `edgewise ${what}, ${rung}`,
    url: `/vision/${onnx.name}.${what}`,
    image: sample.dims,
    values: Array.from(values),
    options: { rung },
  });
  const rivals = KINDS.flatMap((kind) => {
    const file = files[kind];
    if (file === undefined) return [];
    const bytes = readTfliteFile(onnx, file);
    const { input, output } = readTflite(bytes);
    writeFileSync(join(folder, `${file}.tflite`), bytes);
    const { shape, type } = input;
    const { scale, zeroPoint } = output;
    const tensors = { shape, type, values: tfliteValues(sample.dims, values, input), scale, zeroPoint };
    return [{ litert: true, label: labelOf(kind), url: `/vision/${file}.tflite`, ...tensors }];
  });
  const ours = packages.flatMap((what) => ['relaxed', 'simd'].map((rung) => edgewise(what, rung)));
  return [...rivals, ...ours];
}

/** @param {(typeof KINDS)[number]} kind */
function labelOf(kind) {
  return `LiteRT.js ${kind}`;
}

/** @param {string} label @param {boolean} hasFloat whether LiteRT runs a float file */
function leastCosine(label, hasFloat) {
  if (label.includes('w7')) return LEAST_COSINES.sevenBits;
  return hasFloat && label.includes('float') ? LEAST_COSINES.float : LEAST_COSINES.int8;
}

/** @param {Record<string, number[]>} times */
function describe(times) {
  return Object.entries(times).map(([engine, values]) => {
    const kind = engine.includes('float') ? 'float' : 'int8';
    const other = KINDS.find((each) => each !== kind) ?? kind;
    const rival = labelOf(labelOf(kind) in times ? kind : other);
    const against = times[rival] ?? [];
    return {
      engine,
      ms: summarize(values),
      ratioTo: rival,
      ratio: pairedRatio(values, against),
      least: leastRatio(values, against),
      bar: engine.startsWith('edgewise') && rival === labelOf(kind) ? BAR : undefined,
    };
  });
}
