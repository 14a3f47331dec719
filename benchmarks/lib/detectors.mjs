// Detectors of ../shared/assets with what MANIFEST.json says of their preprocessing and boxes, through the runtime's own image code.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readYoloBoxes } from '@edgewise/compiler';
import sharp from 'sharp';
import { preprocess } from '../../packages/runtime/dist/image/preprocess.js';
import { decode } from '../../packages/runtime/dist/object-detection/decode.js';
import { boxInSource } from '../../packages/runtime/dist/object-detection/index.js';
import { suppress } from '../../packages/runtime/dist/object-detection/suppress.js';
import { ASSETS } from './vision.mjs';

/**
 * @typedef {import('../../packages/runtime/dist/format/index.js').ImagePreprocessing} ImagePreprocessing
 * @typedef {import('../../packages/runtime/dist/format/index.js').DetectionHead} DetectionHead
 * @typedef {import('../../packages/runtime/dist/image/fit.js').Placement} Placement
 * @typedef {{ dims: readonly number[], data: Float32Array, placement: Placement, golds: readonly import('@edgewise/compiler').GoldBox[] }} Scene
 * @typedef {object} Detector
 * @property {string} name file in models/detection, without .onnx
 * @property {number} classCount
 * @property {boolean} hasGolds whether the images' labels say what it should find
 * @property {DetectionHead} head
 * @property {ImagePreprocessing} preprocessing
 */

const SCENES = join(ASSETS, 'datasets/coco128-val2017');
const CALIBRATION = join(ASSETS, 'datasets/coco-calibration');
const COCO_CLASSES = 80;
/** COCO's limit; the runtime's usual one too. */
const MAX_BOXES = 100;

const BYTES = /** @type {const} */ ({
  channels: 'BGR',
  layout: 'NCHW',
  dtype: 'float32',
  resample: 'bilinear',
});
const TOP_LEFT = /** @type {const} */ ({ mode: 'letterbox', align: 'top-left', rounding: 'floor' });

/** @type {readonly Detector[]} */
export const DETECTORS = [
  {
    name: 'yolox_nano',
    classCount: COCO_CLASSES,
    hasGolds: true,
    head: { kind: 'yolox', strides: [8, 16, 32], scoreThreshold: 0.001, iouThreshold: 0.65 },
    preprocessing: { ...BYTES, width: 416, height: 416, fit: { ...TOP_LEFT, padding: 114 } },
  },
  {
    name: 'fastestdet',
    classCount: COCO_CLASSES,
    hasGolds: true,
    head: { kind: 'fastestdet', scoreThreshold: 0.01, iouThreshold: 0.45 },
    preprocessing: {
      ...BYTES,
      width: 352,
      height: 352,
      fit: { mode: 'stretch' },
      resample: 'box',
      resampleEnlarging: 'bilinear',
      scale: 1 / 255,
    },
  },
  {
    name: 'ultraface_rfb_320',
    classCount: 1,
    hasGolds: false,
    head: { kind: 'ultraface', boxes: 'boxes', scores: 'scores', scoreThreshold: 0.7, iouThreshold: 0.3 },
    preprocessing: {
      ...BYTES,
      channels: 'RGB',
      width: 320,
      height: 240,
      fit: { mode: 'stretch' },
      mean: [127, 127, 127],
      std: [128, 128, 128],
    },
  },
  {
    name: 'yunet_n_320',
    classCount: 1,
    hasGolds: false,
    head: { kind: 'yunet', strides: [8, 16, 32], scoreThreshold: 0.6, iouThreshold: 0.45 },
    preprocessing: { ...BYTES, width: 320, height: 320, fit: { ...TOP_LEFT, padding: 0 } },
  },
];

/** Decodes as the file lies, without turning by its EXIF orientation. @param {string} path */
async function readPixels(path) {
  const { data, info } = await sharp(path)
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: /** @type {1 | 3} */ (info.channels) };
}

/** @param {string} folder */
const jpegs = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .toSorted()
    .map((name) => join(folder, name));

/** The 84 COCO images of the developer part with their boxes. @param {Detector} detector @returns {Promise<Scene[]>} */
export async function loadScenes({ preprocessing }) {
  const scenes = [];
  for (const path of jpegs(join(SCENES, 'images'))) {
    const image = await readPixels(path);
    const file = join(SCENES, 'labels', `${basename(path, '.jpg')}.txt`);
    const { width, height } = image;
    const golds = readYoloBoxes(readFileSync(file, 'utf8'), {
      file,
      width,
      height,
      classCount: COCO_CLASSES,
    });
    scenes.push({ ...prepare(image, preprocessing), golds });
  }
  return scenes;
}

/** COCO training images, which no scene is among. @param {Detector} detector */
export async function loadCalibrationScenes({ preprocessing }) {
  const scenes = [];
  for (const path of jpegs(CALIBRATION)) scenes.push(prepare(await readPixels(path), preprocessing));
  return scenes;
}

/** @param {Awaited<ReturnType<typeof readPixels>>} image @param {ImagePreprocessing} preprocessing */
function prepare(image, preprocessing) {
  const { input, placement } = preprocess(image, preprocessing);
  return { dims: input.shape, data: /** @type {Float32Array} */ (input.data), placement };
}

/**
 * What a detector's outputs say, in pixels of the image.
 * @param {Detector} detector @param {Scene} scene @param {Readonly<Record<string, { dims: readonly number[], data: unknown }>>} outputs
 * @returns {import('@edgewise/compiler').DetectedBox[]}
 */
export function boxesOf({ head, preprocessing, classCount }, { placement }, outputs) {
  const tensors = Object.fromEntries(
    Object.entries(outputs).map(([name, { dims, data }]) => [
      name,
      { shape: dims, dtype: /** @type {const} */ ('float32'), data: /** @type {Float32Array} */ (data) },
    ]),
  );
  const { width, height } = preprocessing;
  const { scoreThreshold = 0.25, iouThreshold = 0.45 } = head;
  const [first = ''] = Object.keys(outputs);
  const context = { first, width, height, classCount, scoreThreshold, allClasses: false };
  const candidates = decode(tensors, head, context);
  return suppress(candidates, iouThreshold, MAX_BOXES).map((candidate) => ({
    classIndex: candidate.classIndex,
    score: candidate.score,
    box: boxInSource(candidate, placement, true),
  }));
}
