// LiteRT.js as a peer, and the networks that ../shared/assets has both as TFLite and as ONNX.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactRecurrentNet } from '@edgewise/compiler';
import { noise } from '../pages/noise.mjs';
import { peerFolder } from './peers.mjs';
import { readTflite } from './tflite.mjs';
import { ASSETS, NETWORKS, OTHER_NETWORKS } from './vision.mjs';

/**
 * @typedef {object} LiteRtNetwork
 * @property {import('./vision.mjs').Sampled} onnx
 * @property {string} [float] TFLite file in the folder of the ONNX one
 * @property {string} [int8]
 * @property {import('@edgewise/compiler').Transform[]} [passes] of what is no convolutional network and stays float
 */

const AUTOENCODER = 'mlperf_tiny_ad_autoencoder';

/** @type {readonly LiteRtNetwork[]} */
export const LITERT_NETWORKS = [
  { onnx: named('mobilenet_v2_1.0_224_deq'), int8: 'mobilenet_v2_1.0_224_ptq_int8' },
  ...['mlperf_tiny_vww_mobilenetv1_0.25_96', 'mlperf_tiny_resnet8_cifar10'].map((name) => ({
    onnx: named(name),
    float: `${name}_float`,
    int8: `${name}_int8`,
  })),
  { onnx: named('mlperf_tiny_kws_dscnn'), int8: 'mlperf_tiny_kws_dscnn_int8' },
  {
    onnx: withinInput(named(AUTOENCODER), `${AUTOENCODER}_int8`),
    float: `${AUTOENCODER}_float`,
    int8: `${AUTOENCODER}_int8`,
  },
  {
    onnx: { name: 'kwt1_raw_audio', folder: 'audio', calibration: () => [sound([1, 16_000])] },
    float: 'kwt1_raw_audio_float',
    passes: compactRecurrentNet(),
  },
];

/** @param {readonly number[]} dims */
function sound(dims) {
  return { dims, gold: -1, read: async () => noise(dims).map((value) => value / 4) };
}

/** @param {string} name */
function named(name) {
  const found = [...NETWORKS, ...OTHER_NETWORKS].find((network) => network.name === name);
  if (!found) throw new Error(`lib/vision.mjs has no ${name}`);
  return found;
}

/**
 * The network with samples of 0…1 spread over what the TFLite file's input can hold, which is what it was calibrated for.
 * @param {import('./vision.mjs').Sampled} network @param {string} file
 * @returns {import('./vision.mjs').Sampled}
 */
function withinInput(network, file) {
  return {
    ...network,
    calibration: () => {
      const { scale, zeroPoint } = readTflite(readTfliteFile(network, file)).input;
      return network.calibration().map((image) => ({
        ...image,
        read: async () => (await image.read()).map((share) => (share * 255 - 128 - zeroPoint) * scale),
      }));
    },
  };
}

/** @param {import('./vision.mjs').Sampled} network @param {string} file */
export function readTfliteFile({ folder = 'vision' }, file) {
  return readFileSync(join(ASSETS, 'models', folder, `${file}.tflite`));
}

/** What its module is changed in, for pages without a bundler and for models whose tensors are int8, which it does not know. */
const CHANGES = /** @type {const} */ ([
  ['from "@litertjs/wasm-utils"', 'from "./wasm-utils.js"'],
  [
    'var DATATYPES = Object.freeze([',
    'var DATATYPES = Object.freeze([{ dtype: "int8", typedArrayConstructor: Int8Array, elementType: ElementType.INT8 },',
  ],
]);

/** Lays LiteRT.js out for a page: index.js, wasm-utils.js and wasm/. @param {string} folder */
export function layOutLiteRt(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const core = peerFolder('@litertjs/core');
  let code = readFileSync(join(core, 'dist/index.js'), 'utf8');
  for (const [from, to] of CHANGES) {
    if (code.split(from).length !== 2) throw new Error(`@litertjs/core is another version: no ${from}`);
    code = code.replace(from, to);
  }
  writeFileSync(join(folder, 'index.js'), code);
  cpSync(join(peerFolder('@litertjs/wasm-utils'), 'dist/index.js'), join(folder, 'wasm-utils.js'));
  cpSync(join(core, 'wasm'), join(folder, 'wasm'), { recursive: true });
}

/**
 * The numbers of a network's input as a TFLite file takes them: channels last, quantized.
 * @param {readonly number[]} dims NCHW, or any other shape of the same order in both @param {Float32Array} values
 * @param {import('./tflite.mjs').TfliteTensor} input
 */
export function tfliteValues(dims, values, { type, scale, zeroPoint }) {
  const [, channels = 1, ...map] = dims;
  const pixels = map.reduce((product, dim) => product * dim, 1);
  const last = values.map((_, i) => values[(i % channels) * pixels + Math.floor(i / channels)] ?? NaN);
  if (type === 'float32') return Array.from(last);
  const [low, high] = type === 'int8' ? [-128, 127] : [0, 255];
  return Array.from(last, (value) => Math.min(Math.max(Math.round(value / scale) + zeroPoint, low), high));
}
