// Latency of networks for sound on one thread in one Chromium, chunk after chunk with their states: our engine and
// onnxruntime-web, on the original file and on our compact graph, take turns.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildPackage, compileEdge, expandEdgewise, runPasses, writeOnnx } from '@edgewise/compiler';
import { AUDIO_NETWORKS, audioVariants, compactAudioNet, readAudioModel } from './lib/audio.mjs';
import { launch, servePages } from './lib/browser.mjs';
import { CACHE } from './lib/models.mjs';
import { engineAgreement, measureEngines, openBenchPage, openEngines } from './lib/page.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { leastRatio, pairedRatio, summarize } from './lib/statistics.mjs';

/** Chunks of one turn. */
const CHUNKS = 50;
const ROUNDS = 40;
const WARM_UP = 5;
const RIVALS = ['onnxruntime-web, original', 'onnxruntime-web, compact'];
/** Largest ratio to the faster of onnxruntime-web's. */
const BAR = 0.65;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const folder = join(CACHE, 'audio-latency');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await servePages({ '/audio': folder });
  const browser = await launch();
  const cases = [];
  try {
    for (const network of AUDIO_NETWORKS.filter(({ name }) => name.includes(options.only ?? ''))) {
      const { inputs, labels } = await prepare(network, folder);
      const page = await openBenchPage(browser, server.origin);
      const opened = await openEngines(page, engines(network, inputs, labels));
      const agreement = await engineAgreement(page, { ids: [], text: '' });
      note(network.name);
      const rounds = Math.ceil(ROUNDS * options.scale);
      const times = await measureEngines(page, { ids: [], text: '' }, { rounds, warmUp: WARM_UP });
      await page.close();
      cases.push({
        model: network.name,
        chunkMs: network.chunkMs,
        engines: describe(times),
        opened,
        agreement,
      });
    }
  } finally {
    await browser.close();
    await server.close();
  }
  printTable(
    cases.flatMap(({ model, engines: rows }) =>
      rows.map(({ engine, msPerChunk, ratio, least, bar }) => ({
        model,
        engine,
        'ms per chunk (p10–p90)': spread(msPerChunk),
        ratio: spread(ratio),
        'of least': short(least),
        bar: bar ?? '',
      })),
    ),
  );
  if (options.keep)
    writeResult(
      'audio-latency',
      { threads: 1, chunks: CHUNKS, bar: BAR, cases },
      { chromium: browser.version() },
    );
}

/** @param {import('./lib/audio.mjs').AudioNetwork} network @param {Record<string, readonly number[]>} inputs @param {readonly string[]} labels */
function engines({ name, states, settings }, inputs, labels) {
  const common = { chunks: CHUNKS, inputs, states, settings };
  return [
    { ...common, stream: 'onnxruntime', label: RIVALS[0], url: `/audio/${name}.original.onnx` },
    { ...common, stream: 'onnxruntime', label: RIVALS[1], url: `/audio/${name}.compact.onnx` },
    ...labels.flatMap((label, index) =>
      ['relaxed', 'simd'].map((rung) => ({
        ...common,
        stream: 'edgewise',
        label: `edgewise ${label}, ${rung}`,
        url: `/audio/${name}.${index}`,
        options: { rung },
      })),
    ),
  ];
}

/**
 * Writes a network's models and packages; the shapes of its inputs, and what the packages are.
 * @param {import('./lib/audio.mjs').AudioNetwork} network @param {string} folder
 */
async function prepare(network, folder) {
  const { name } = network;
  const model = await compactAudioNet(network);
  writeFileSync(join(folder, `${name}.original.onnx`), readAudioModel(name));
  writeFileSync(join(folder, `${name}.compact.onnx`), writeOnnx(expandEdgewise(model)).bytes);
  const variants = audioVariants(model);
  /** @type {Record<string, readonly number[]>} */
  let inputs = {};
  for (const [index, { passes }] of variants.entries()) {
    const { model: edge, files } = compileEdge((await runPasses(model, passes)).model);
    const target = join(folder, `${name}.${index}`);
    mkdirSync(target, { recursive: true });
    const description = { name, task: 'benchmark' };
    for (const [file, bytes] of await buildPackage({ description, model: edge, files }))
      writeFileSync(join(target, basename(file)), bytes);
    inputs = Object.fromEntries(edge.inputs.map((input) => [input.name, input.shape.map(Number)]));
  }
  return { inputs, labels: variants.map(({ label }) => label) };
}

/** @param {Record<string, number[]>} times */
function describe(times) {
  const least = (/** @type {string} */ label) => Math.min(...(times[label] ?? []));
  const rival = RIVALS.toSorted((a, b) => least(a) - least(b))[0] ?? '';
  const against = times[rival] ?? [];
  return Object.entries(times).map(([engine, values]) => ({
    engine,
    msPerChunk: summarize(values.map((ms) => ms / CHUNKS)),
    ratioTo: rival,
    ratio: pairedRatio(values, against),
    least: leastRatio(values, against),
    bar: engine.startsWith('edgewise') ? BAR : undefined,
  }));
}
