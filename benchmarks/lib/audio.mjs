// Networks for sound, as models/audio of ../shared/assets has them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compactConvNet,
  compactRecurrentNet,
  frontEndLayers,
  quantizeLinears,
  quantizeLstms,
  readOnnx,
  runPasses,
} from '@edgewise/compiler';
import { ASSETS } from './vision.mjs';

/**
 * @typedef {object} AudioNetwork
 * @property {string} name file in models/audio, without .onnx
 * @property {number} chunkMs sound between two runs
 * @property {Readonly<Record<string, string>>} states outputs that are inputs of the next chunk, by input
 * @property {Readonly<Record<string, number>>} settings
 * @property {import('@edgewise/compiler').Transform[]} passes
 */

/** @type {readonly AudioNetwork[]} */
export const AUDIO_NETWORKS = [
  {
    name: 'silero_vad_16k_op15',
    chunkMs: 32,
    states: { state: 'stateN' },
    settings: { sr: 16_000 },
    passes: compactRecurrentNet({ settings: { sr: 16_000 }, dims: { sequence: 576 } }),
  },
  {
    name: 'dtln_model_1',
    chunkMs: 8,
    states: { input_3: 'tf_op_layer_stack_2' },
    settings: {},
    passes: compactRecurrentNet(),
  },
  {
    name: 'dtln_model_2',
    chunkMs: 8,
    states: { input_5: 'tf_op_layer_stack_5' },
    settings: {},
    passes: compactRecurrentNet(),
  },
  {
    name: 'kwt1_raw_audio',
    chunkMs: 1000,
    states: {},
    settings: {},
    passes: compactRecurrentNet(),
  },
  { name: 'mlperf_tiny_kws_dscnn', chunkMs: 1000, states: {}, settings: {}, passes: compactConvNet() },
];

/** The bytes of a model of models/audio. @param {string} name */
export function readAudioModel(name) {
  return readFileSync(join(ASSETS, 'models/audio', `${name}.onnx`));
}

/** The compact graph of a network. @param {AudioNetwork} network */
export async function compactAudioNet({ name, passes }) {
  const { model } = await runPasses(readOnnx(readAudioModel(name)), passes);
  return model;
}

/**
 * What is measured of a compact graph. Convolutional networks have a quantization of their own, with calibration.
 * @param {import('@edgewise/compiler').Model} float @returns {{ label: string, passes: import('@edgewise/compiler').Transform[] }[]}
 */
export function audioVariants(float) {
  const isQuantizable = float.graph.nodes.some(({ opType }) => opType === 'LSTM' || opType === 'MatMul');
  const keepFloat = frontEndLayers(float);
  const int8 = { label: 'W7A8 dynamic', passes: [quantizeLstms(), quantizeLinears({ keepFloat })] };
  return [{ label: 'float32', passes: [] }, ...(isQuantizable ? [int8] : [])];
}
