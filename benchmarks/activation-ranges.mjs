// How the ranges of activations are found: the signal-to-noise ratio of image networks' outputs in 8 bits, on onnxruntime-node.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compactConvNet,
  expandEdgewise,
  quantizeConvNet,
  readOnnx,
  runPasses,
  separateActivations,
  writeOnnx,
} from '@edgewise/compiler';
import { note, printTable, writeResult } from './lib/report.mjs';
import { ASSETS, NETWORKS } from './lib/vision.mjs';
import { compare, outputsOf } from './quantization.mjs';
import { load, observe } from './vision-accuracy.mjs';

const RANGES = /** @type {const} */ (['mse', 'minmax', 'percentile', 'entropy']);
const CALIBRATION_IMAGES = 100;
const IMAGES = 100;

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  const rows = [];
  for (const network of NETWORKS.filter(({ name }) => name.includes(options.only ?? ''))) {
    const bytes = readFileSync(join(ASSETS, 'models', network.folder ?? 'vision', `${network.name}.onnx`));
    const { model } = await runPasses(readOnnx(bytes), [...compactConvNet(), separateActivations()]);
    const statistics = await observe(model, await load(network.calibration().slice(0, CALIBRATION_IMAGES)));
    const inputs = await load(network.images().slice(0, IMAGES));
    const float = await outputsOf(bytes, inputs);
    /** @type {Record<string, number>} */
    const outputDb = {};
    for (const activationRange of RANGES) {
      const { model: made } = await runPasses(model, [quantizeConvNet({ statistics, activationRange })]);
      const answers = await outputsOf(writeOnnx(expandEdgewise(made)).bytes, inputs);
      outputDb[activationRange] = Number(compare(float, answers, []).outputDb.toFixed(2));
    }
    rows.push({ model: network.name, ...outputDb });
    note(`${network.name} ${JSON.stringify(outputDb)}`);
  }
  printTable(rows);
  if (options.keep)
    writeResult('activation-ranges', { calibrationImages: CALIBRATION_IMAGES, images: IMAGES, rows });
}
