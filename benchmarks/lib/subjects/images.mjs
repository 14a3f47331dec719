// Image classifiers, a keyword spotter on features, and detectors.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS, readOnnx } from '@edgewise/compiler';
import { boxesOf, loadCalibrationScenes, loadScenes } from '../detectors.mjs';
import { float32 } from '../onnxruntime.mjs';
import { ASSETS } from '../vision.mjs';
import { firstClass } from './subject.mjs';

const CALIBRATION_SAMPLES = 100;
/** The metric of detectors without labels. */
export const FLOAT_BOXES = 'boxes of float';
/** Boxes of the float model that a detector without labels has to find again. */
const SURE_SCORE = 0.3;

/** @param {string} file @param {readonly { dims: readonly number[], read: () => Promise<Float32Array> }[]} images */
export async function loadFeeds(file, images) {
  const input = readOnnx(readFileSync(file)).graph.inputs[0]?.name ?? '';
  const feeds = [];
  for (const { dims, read } of images) feeds.push({ [input]: float32(dims, await read()) });
  return feeds;
}

/** @param {import('../vision.mjs').Network} network @returns {Promise<import('./subject.mjs').Subject>} */
export async function openClassifier(network) {
  const { name, folder = 'vision', data } = network;
  const file = join(ASSETS, 'models', folder, `${name}.onnx`);
  const images = network.images();
  return {
    name,
    kind: folder,
    recipes: 'conv-net',
    file,
    data,
    examples: images.length,
    inputs: await loadFeeds(file, images),
    calibration: await loadFeeds(file, network.calibration().slice(0, CALIBRATION_SAMPLES)),
    measure: {
      label: 'top-1',
      metric: METRICS.accuracy,
      answers: (outputs) => outputs.map(firstClass),
      golds: () => images.map(({ gold }) => gold),
    },
  };
}

/** @param {import('../detectors.mjs').Detector} detector @returns {Promise<import('./subject.mjs').Subject>} */
export async function openDetector(detector) {
  const file = join(ASSETS, 'models/detection', `${detector.name}.onnx`);
  const scenes = await loadScenes(detector);
  const feeds = (/** @type {{ dims: readonly number[], data: Float32Array }[]} */ all) =>
    loadFeeds(
      file,
      all.map(({ dims, data }) => ({ dims, read: async () => data })),
    );
  return {
    name: detector.name,
    kind: 'vision',
    recipes: 'conv-net',
    file,
    data: 'coco128-val2017',
    examples: scenes.length,
    inputs: await feeds(scenes),
    calibration: await feeds(await loadCalibrationScenes(detector)),
    measure: {
      label: detector.hasGolds ? 'mAP' : FLOAT_BOXES,
      metric: METRICS.map,
      answers: (outputs) => scenes.map((scene, i) => ({ boxes: boxesOf(detector, scene, outputs[i] ?? {}) })),
      golds: (float) =>
        detector.hasGolds ? scenes.map(({ golds }) => ({ boxes: golds })) : float.map(sureBoxes),
    },
  };
}

/** @param {import('./subject.mjs').Answer} answer */
function sureBoxes(answer) {
  const boxes = typeof answer === 'object' && 'boxes' in answer ? answer.boxes : [];
  return { boxes: boxes.filter((box) => 'score' in box && box.score >= SURE_SCORE) };
}
