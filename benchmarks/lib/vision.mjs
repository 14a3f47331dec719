// Labelled images as each network wants them, by datasets/ of ../shared/assets. Preprocessing is MANIFEST.json's, word for word.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';

/**
 * @typedef {{ dims: readonly number[], read: () => Promise<Float32Array>, gold: number }} Image `gold` is -1 for calibration
 * @typedef {object} Network
 * @property {string} name file in `folder`, without .onnx
 * @property {'vision' | 'audio'} [folder] of models/; default vision
 * @property {string} data
 * @property {() => Image[]} images
 * @property {() => Image[]} calibration
 * @typedef {object} Sampled A network and what calibrates it.
 * @property {string} name
 * @property {string} [folder] in models/; default vision
 * @property {() => Image[]} calibration
 */

export const ASSETS = fileURLToPath(new URL('../../../shared/assets/', import.meta.url));
const dataset = (/** @type {string} */ path) => join(ASSETS, 'datasets', path);

/** The middle square of an image, channels apart. @param {string} file @param {number} size @param {(value: number, channel: number) => number} scale @param {boolean} bgr */
async function readSquare(file, size, scale, bgr) {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const [left, top] = [Math.floor((info.width - size) / 2), Math.floor((info.height - size) / 2)];
  const out = new Float32Array(3 * size * size);
  for (let c = 0; c < 3; c++) {
    const from = bgr ? 2 - c : c;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        out[(c * size + y) * size + x] = scale(
          data[((top + y) * info.width + left + x) * info.channels + from] ?? 0,
          c,
        );
  }
  return out;
}

/** @param {number} size @param {(value: number, channel: number) => number} scale @param {{ bgr?: boolean, offset?: number }} [options] */
function imagenet(size, scale, { bgr = false, offset = 0 } = {}) {
  const dims = [1, 3, size, size];
  const image = (/** @type {string} */ file, /** @type {number} */ gold) => ({
    dims,
    gold,
    read: () => readSquare(file, size, scale, bgr),
  });
  return {
    data: 'imagenet1k-sample',
    images: () =>
      readFileSync(dataset('imagenet1k-sample/labels.csv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => {
          const [file = '', , label] = line.split(',');
          const path = dataset('imagenet1k-sample/images');
          return image(join(path, file), Number(label) + offset);
        }),
    calibration: () =>
      readdirSync(dataset('imagenet-calibration'))
        .filter((file) => file.endsWith('.jpg'))
        .toSorted()
        .map((file) => image(join(dataset('imagenet-calibration'), file), -1)),
  };
}

/** Records of a label and 32×32 planes. The lossless ones calibrate what is measured on the JPEG ones. @param {(value: number, channel: number) => number} scale */
function cifar(scale) {
  const records = (/** @type {string} */ file) => {
    const bytes = readFileSync(dataset(`cifar10/${file}`));
    return Array.from({ length: bytes.length / 3073 }, (_, i) => ({
      dims: [1, 3, 32, 32],
      gold: bytes[i * 3073] ?? -1,
      read: async () =>
        Float32Array.from(bytes.subarray(i * 3073 + 1, (i + 1) * 3073), (value, at) =>
          scale(value, Math.floor(at / 1024)),
        ),
    }));
  };
  const file = (/** @type {RegExp} */ pattern) =>
    readdirSync(dataset('cifar10')).find((name) => pattern.test(name)) ?? '';
  return {
    data: 'cifar10 jpeg',
    images: () => records(file(/jpeg.*\.bin$/)),
    calibration: () => records(file(/lossless.*\.bin$/)),
  };
}

/**
 * A set that also has to calibrate: every nth item does, and is not measured.
 * @param {string} data @param {number} nth @param {() => Image[]} all
 */
function split(data, nth, all) {
  return {
    data: `${data}, but every ${nth}th`,
    images: () => all().filter((_, i) => i % nth !== 0),
    calibration: () => all().filter((_, i) => i % nth === 0),
  };
}

/** The lines of a CSV file, without the first. @param {string} path */
const csvLines = (path) =>
  readFileSync(dataset(path), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

function vww() {
  return split('vww96', 4, () =>
    csvLines('vww96/labels.csv').map(([file = '', label]) => ({
      dims: [1, 3, 96, 96],
      gold: Number(label),
      read: () => readSquare(join(dataset('vww96/images'), file), 96, (value) => value / 255, false),
    })),
  );
}

function mnist() {
  return split('mnist', 70, () => {
    const pixels = gunzipSync(readFileSync(dataset('mnist/test-images-idx3-ubyte.gz'))).subarray(16);
    const labels = gunzipSync(readFileSync(dataset('mnist/test-labels-idx1-ubyte.gz'))).subarray(8);
    return Array.from(labels, (gold, i) => ({
      dims: [1, 1, 28, 28],
      gold,
      read: async () => Float32Array.from(pixels.subarray(i * 784, (i + 1) * 784)),
    }));
  });
}

/** 49 frames of 10 coefficients. */
function keywords() {
  return split('kws-mfcc-int8', 7, () => {
    const bytes = readFileSync(dataset('kws-mfcc-int8/features.i8.bin'));
    const features = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    return csvLines('kws-mfcc-int8/labels.csv').map(([, label], i) => ({
      dims: [1, 1, 49, 10],
      gold: Number(label),
      read: async () =>
        Float32Array.from(features.subarray(i * 490, (i + 1) * 490), (value) => (value - 83) * 0.5847029),
    }));
  });
}

const signed = (/** @type {number} */ value) => value / 127.5 - 1;
const CIFAR_MEAN = [0.485, 0.456, 0.406];
const CIFAR_DEVIATION = [0.229, 0.224, 0.225];
const normalized = (/** @type {number} */ value, /** @type {number} */ c) =>
  (value / 255 - (CIFAR_MEAN[c] ?? 0)) / (CIFAR_DEVIATION[c] ?? 1);
const SQUEEZE_MEAN = [104, 117, 123];

/** @type {readonly Network[]} */
export const NETWORKS = [
  { name: 'mobilenet_v1_0.25_224', ...imagenet(224, signed) },
  { name: 'mobilenet_v2_1.0_224_deq', ...imagenet(224, signed, { offset: 1 }) },
  {
    name: 'squeezenet_v1.0_deepcompressed',
    ...imagenet(227, (value, c) => value - (SQUEEZE_MEAN[c] ?? 0), { bgr: true }),
  },
  { name: 'resnet20_cifar10', ...cifar(normalized) },
  { name: 'resnet32_cifar10', ...cifar(normalized) },
  { name: 'mlperf_tiny_resnet8_cifar10', ...cifar((value) => value) },
  { name: 'mlperf_tiny_vww_mobilenetv1_0.25_96', ...vww() },
  { name: 'mnist-8', ...mnist() },
  { name: 'mlperf_tiny_kws_dscnn', folder: 'audio', ...keywords() },
];

/** Waves with noise, from 0 to `most`: time does not hang on what an input shows. @param {readonly number[]} dims @param {number} most */
function waves(dims, most) {
  const width = dims.at(-1) ?? 1;
  const count = dims.reduce((product, dim) => product * dim, 1);
  const value = (/** @type {number} */ i) =>
    0.5 + 0.2 * Math.sin((i % width) / 9) + 0.2 * Math.cos(Math.floor(i / width) / 7) + 0.1 * Math.sin(i * i);
  return () => [
    { dims, gold: -1, read: async () => Float32Array.from({ length: count }, (_, i) => most * value(i)) },
  ];
}

/** Networks whose speed is measured without a data set. @type {readonly Sampled[]} */
export const OTHER_NETWORKS = [
  { name: 'yolox_nano', folder: 'detection', calibration: waves([1, 3, 416, 416], 255) },
  { name: 'fastestdet', folder: 'detection', calibration: waves([1, 3, 352, 352], 1) },
  { name: 'ultraface_rfb_320', folder: 'detection', calibration: waves([1, 3, 240, 320], 1) },
  { name: 'yunet_n_320', folder: 'detection', calibration: waves([1, 3, 320, 320], 255) },
  { name: 'super_resolution_3x', calibration: waves([1, 1, 224, 224], 1) },
  { name: 'mlperf_tiny_ad_autoencoder', folder: 'audio', calibration: waves([1, 640], 1) },
];

/** @typedef {{ dims: readonly number[], data: Float32Array, gold: number }} Loaded */

/** @param {readonly Image[]} images @returns {Promise<Loaded[]>} */
export async function load(images) {
  const loaded = [];
  for (const { dims, gold, read } of images) loaded.push({ dims, gold, data: await read() });
  return loaded;
}
