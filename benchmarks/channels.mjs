// What channel pruning without training costs convolutional networks, with and without repair, and what it saves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  compactConvNet,
  float32Tensor,
  mirrorSample,
  priceChains,
  pruneChannels,
  readOnnx,
  runPasses,
} from '@edgewise/compiler';
import { openActivations, openEdge } from './lib/edge-model.mjs';
import { printPruned, rowOf } from './lib/pruned-rows.mjs';
import { note, previousRows, writeResult } from './lib/report.mjs';
import { argmax } from './lib/subjects/subject.mjs';
import { ASSETS, load, NETWORKS } from './lib/vision.mjs';

/**
 * Shares of the multiply-accumulates that stay, and the images that channels are chosen and what is left is fitted with; their mirror images
 * are added.
 */
const CASES = [
  { name: 'resnet20_cifar10', shares: [0.85, 0.7], calibrationImages: 138 },
  { name: 'resnet32_cifar10', shares: [0.85, 0.7], calibrationImages: 138 },
  { name: 'mobilenet_v2_1.0_224_deq', shares: [0.85, 0.7], calibrationImages: 64 },
];
const TIMED_IMAGES = 10;
const WIDTH_AXIS = 3;

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('./lib/vision.mjs').Loaded} Loaded
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  /** @type {import('./lib/pruned-rows.mjs').Row[]} */
  const rows = [];
  const cases = CASES.filter(({ name }) => name.includes(options.only ?? ''));
  const others = previousRows('channels').filter(({ model }) => cases.every(({ name }) => name !== model));
  for (const { name, shares, calibrationImages } of cases) {
    const network = NETWORKS.find((each) => each.name === name);
    if (network === undefined) throw new Error(`there is no network ${name}`);
    const images = await load(network.images());
    const calibration = await load(network.calibration().slice(0, calibrationImages));
    const file = readFileSync(join(ASSETS, 'models/vision', `${name}.onnx`));
    const { model: compact } = await runPasses(readOnnx(file), compactConvNet());
    const input = compact.graph.inputs[0]?.name ?? '';
    const plain = calibration.map(({ dims, data }) => new Map([[input, float32Tensor(dims, data)]]));
    const samples = plain.flatMap((sample) => [sample, mirrorSample(sample, WIDTH_AXIS)]);
    const before = performance.now();
    const data = { open: openActivations, samples };
    const chains = await priceChains(compact, data);
    const pricing = (performance.now() - before) / 1000;
    note(`${name}: channels priced in ${pricing.toFixed(0)} s`);
    const float = await measured(compact, '', images);
    rows.push({ ...(await rowOf(name, 'nothing', '', float, float, options.scale)), images: images.length });
    for (const macs of shares) {
      for (const repair of [false, true]) {
        const start = performance.now();
        const pruned = await pruneChannels(compact, { macs, repair, chains, ...data });
        const seconds = pricing + (performance.now() - start) / 1000;
        const variant = await measured(pruned.model, describe(pruned), images);
        const left = `${(100 * pruned.macs).toFixed(1)} % of the multiply-accumulates left`;
        const row = await rowOf(name, left, repair ? 'yes' : 'no', variant, float, options.scale);
        rows.push({
          ...row,
          images: images.length,
          calibration: calibration.length,
          macs: pruned.macs,
          seconds,
        });
        variant.close();
        note(
          `${name}: ${left}${repair ? ', repaired' : ''}: ${row.drop.value * 100} points in ${seconds.toFixed(0)} s`,
        );
        if (options.keep) writeResult('channels', { rows: [...others, ...rows] });
      }
    }
    float.close();
  }
  printPruned(rows);
}

/**
 * Opens a network and answers the images.
 * @param {Model} model @param {string} removed @param {readonly Loaded[]} images @returns {Promise<import('./lib/pruned-rows.mjs').Measured>}
 */
async function measured(model, removed, images) {
  const { session, bytes } = await openEdge(model);
  const inputs = images.map(({ data }) => ({ [session.inputs[0]?.name ?? '']: data }));
  const correct = [];
  /** @type {number[]} */
  const logits = [];
  for (const [at, input] of inputs.entries()) {
    const [scores] = Object.values(await session.run(input));
    const row = Array.from(scores?.data ?? []);
    correct.push(argmax(row) === images[at]?.gold);
    logits.push(...row);
  }
  const timed = inputs.slice(0, TIMED_IMAGES);
  return { session, timed, correct, logits, bytes, removed, close: () => session.dispose() };
}

/** @param {import('@edgewise/compiler').PrunedConvNet} pruned */
function describe({ convs }) {
  return convs.map(({ removed, channels }) => `${removed.length}/${channels}`).join(', ');
}
