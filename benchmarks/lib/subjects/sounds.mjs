// Networks that hear sound as it is, and an autoencoder of spectra.
import { join } from 'node:path';
import { METRICS } from '@edgewise/compiler';
import { featureExtractor } from '../../../packages/runtime/dist/audio/features.js';
import { readClips, readWave, SILENCE } from '../clips.mjs';
import { float32, Tensor, withStates } from '../onnxruntime.mjs';
import { ASSETS } from '../vision.mjs';
import { firstClass } from './subject.mjs';

const file = (/** @type {string} */ name) => join(ASSETS, 'models/audio', `${name}.onnx`);

const KEYWORDS = '_silence_,_unknown_,yes,no,up,down,left,right,on,off,stop,go'.split(',');
/** Every nth clip calibrates and is not measured. */
const NTH = 5;

/** KWT-1: a transformer with its front end in the graph. @returns {Promise<import('./subject.mjs').Subject>} */
async function openKeywords() {
  const clips = readClips();
  const feeds = (/** @type {typeof clips} */ some) =>
    some.map(({ samples }) => ({ audio: float32([1, samples.length], samples) }));
  const measured = clips.filter((_, i) => i % NTH !== 0);
  return {
    name: 'kwt1_raw_audio',
    kind: 'audio',
    recipes: 'audio-net',
    file: file('kwt1_raw_audio'),
    data: `speech-commands-12, but every ${NTH}th`,
    examples: measured.length,
    inputs: feeds(measured),
    calibration: feeds(clips.filter((_, i) => i % NTH === 0)),
    measure: {
      label: 'top-1',
      metric: METRICS.accuracy,
      answers: (outputs) => outputs.map(firstClass),
      golds: () => measured.map(({ label }) => KEYWORDS.indexOf(label)),
    },
  };
}

const CHUNK = 512;
const CONTEXT = 64;
const STATES = { state: 'stateN' };
const CALIBRATION_CHUNKS = 200;

/** Silero: an LSTM that hears chunk after chunk; a clip's score is the largest probability of speech in it. @returns {Promise<import('./subject.mjs').Subject>} */
async function openVoiceActivity() {
  const name = 'silero_vad_16k_op15';
  const clips = readClips();
  const chunked = clips.map(({ samples }) => chunksOf(samples));
  const long = chunksOf(readWave(join(ASSETS, 'datasets/vad-sample/test_16k_60s.wav')).samples);
  return {
    name,
    kind: 'audio',
    recipes: 'audio-net',
    file: file(name),
    data: 'speech-commands-12',
    examples: clips.length,
    inputs: chunked.flat(),
    states: STATES,
    calibration: await withStates(file(name), long.slice(0, CALIBRATION_CHUNKS), STATES),
    measure: {
      label: 'AUROC',
      metric: METRICS.auroc,
      answers: (outputs) => {
        const probabilities = outputs.map(({ output }) => output?.data[0] ?? NaN);
        let end = 0;
        return chunked.map(({ length }) => Math.max(...probabilities.slice(end, (end += length))));
      },
      golds: () => clips.map(({ label }) => (label === SILENCE ? 0 : 1)),
    },
  };
}

/** Each with the end of the chunk before it; the first with a fresh state. @param {Float32Array} samples */
function chunksOf(samples) {
  const padded = new Float32Array(CONTEXT + samples.length);
  padded.set(samples, CONTEXT);
  return Array.from({ length: Math.floor(samples.length / CHUNK) }, (_, i) => ({
    input: float32([1, CONTEXT + CHUNK], padded.slice(i * CHUNK, (i + 1) * CHUNK + CONTEXT)),
    sr: new Tensor('int64', BigInt64Array.of(16_000n), []),
    ...(i === 0 && { state: float32([2, 1, 128], new Float32Array(256)) }),
  }));
}

/** The front end of MLPerf Tiny's anomaly detector (its common.py). */
const SPECTRUM = /** @type {const} */ ({
  frameLength: 1024,
  frameStep: 512,
  fftSize: 1024,
  window: 'hann',
  spectrum: 'power',
  mel: { bands: 128, low: 0, high: 8000, scale: 'slaney', triangles: 'hertz', normalization: 'area' },
  log: { base: 'decibel', floor: Number.EPSILON, floorMode: 'add' },
  layout: 'frames-bands',
});
const FRAMES = 5;

/** The machine sounds that it was made for may not be kept: it gets spectra of speech, and only its outputs are compared. @returns {Promise<import('./subject.mjs').Subject>} */
async function openAutoencoder() {
  const name = 'mlperf_tiny_ad_autoencoder';
  const extract = featureExtractor(SPECTRUM, 16_000);
  const feeds = readClips().map(({ samples }) => {
    const { data } = extract(samples);
    return { input: float32([1, FRAMES * 128], data.slice(0, FRAMES * 128)) };
  });
  const inputs = feeds.filter((_, i) => i % NTH !== 0);
  return {
    name,
    kind: 'audio',
    recipes: 'conv-net',
    file: file(name),
    data: `speech-commands-12, but every ${NTH}th`,
    examples: inputs.length,
    inputs,
    calibration: feeds.filter((_, i) => i % NTH === 0),
  };
}

export const SOUNDS = [
  { name: 'kwt1_raw_audio', open: openKeywords },
  { name: 'silero_vad_16k_op15', open: openVoiceActivity },
  { name: 'mlperf_tiny_ad_autoencoder', open: openAutoencoder },
];
