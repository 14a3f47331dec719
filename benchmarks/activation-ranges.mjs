// How the ranges of activations are found: the signal-to-noise ratio of image networks' outputs in 8 bits, on onnxruntime-node.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compactConvNet,
  expandEdgewise,
  observeConvNet,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  writeOnnx,
} from '@edgewise/compiler';
import { observeWith, openOnnx } from './lib/onnxruntime.mjs';
import { note, printTable, writeResult } from './lib/report.mjs';
import { loadFeeds } from './lib/subjects/images.mjs';
import { signalToNoise } from './lib/subjects/subject.mjs';
import { ASSETS, NETWORKS } from './lib/vision.mjs';

const RANGES = /** @type {const} */ (['mse', 'minmax', 'percentile', 'entropy']);
const CALIBRATION_IMAGES = 100;
const IMAGES = 100;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const rows = [];
  for (const network of NETWORKS.filter(({ name }) => name.includes(options.only ?? ''))) {
    const file = join(ASSETS, 'models', network.folder ?? 'vision', `${network.name}.onnx`);
    const { model } = await runPasses(readOnnx(readFileSync(file)), [
      ...compactConvNet(),
      separateActivations(),
    ]);
    const calibration = await loadFeeds(file, network.calibration().slice(0, CALIBRATION_IMAGES));
    const statistics = await observeWith(model, calibration, observeConvNet);
    const inputs = await loadFeeds(file, network.images().slice(0, IMAGES));
    const float = await outputsOf(file, inputs);
    /** @type {Record<string, number>} */
    const outputDb = {};
    for (const activationRange of RANGES) {
      const { model: made } = await runPasses(model, [quantizeConvNet({ statistics, activationRange })]);
      const outputs = await outputsOf(writeOnnx(expandEdgewise(made)).bytes, inputs);
      outputDb[activationRange] = Number(signalToNoise(float, outputs, []).toFixed(2));
    }
    rows.push({ model: network.name, ...outputDb });
    note(`${network.name} ${JSON.stringify(outputDb)}`);
  }
  printTable(rows);
  if (options.keep)
    writeResult('activation-ranges', { calibrationImages: CALIBRATION_IMAGES, images: IMAGES, rows });
}

/** @param {string | Uint8Array} model @param {readonly import('./lib/onnxruntime.mjs').Feed[]} feeds */
async function outputsOf(model, feeds) {
  const runner = await openOnnx(model);
  const outputs = [];
  for (const feed of feeds) outputs.push(await runner.run(feed));
  await runner.close();
  return outputs;
}
