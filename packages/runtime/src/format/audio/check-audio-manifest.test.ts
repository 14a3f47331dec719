import { expect, it } from 'vitest';
import { RuntimeError } from '../../runtime-error.ts';
import type { Manifest } from '../manifest.ts';
import { validateAudioManifest } from './check-audio-manifest.ts';

const FEATURES = {
  frameLength: 480,
  frameStep: 320,
  fftSize: 512,
  window: 'hann',
  spectrum: 'magnitude',
  mel: { bands: 40, low: 20, high: 4000, scale: 'htk', triangles: 'mel' },
  log: { base: 'e', floor: 1e-6, floorMode: 'add' },
  dct: { coefficients: 10, scaling: 'htk' },
  layout: 'frames-bands',
};

function manifest(changes: object = {}, audio: object = {}): Manifest {
  return {
    task: 'audio-classification',
    labels: ['yes', 'no'],
    audio: { sampleRate: 16_000, samples: 16_000, features: FEATURES, ...audio },
    ...changes,
  } as unknown as Manifest;
}

const withFeatures = (features: object): Manifest => manifest({}, { features: { ...FEATURES, ...features } });

const VOICE = {
  task: 'voice-activity-detection',
  labels: undefined,
  audio: { sampleRate: 16_000, samples: 512 },
  streaming: { context: 64, states: [{ input: 'state', output: 'stateN' }] },
};

it('takes good ones', () => {
  const good = manifest({ scores: 'probabilities', labelOffset: 1 }, { gain: 'max', scale: 32_768 });
  expect(validateAudioManifest(good)).toBe(good);
  expect(() => validateAudioManifest(manifest({}, { features: undefined }))).not.toThrow();
  expect(() => validateAudioManifest(withFeatures({ padding: 'reflect', dct: undefined }))).not.toThrow();
  expect(() => validateAudioManifest(manifest({ task: 'mine', labels: undefined }))).not.toThrow();
  expect(() => validateAudioManifest(manifest({ ...VOICE, threshold: 0.4 }))).not.toThrow();
});

it.each<[object, string]>([
  [{ sampleRate: 0 }, 'audio.sampleRate must be a whole number from 1000 to 768000, not 0'],
  [{ samples: 1e9 }, 'audio.samples must be a whole number from 1'],
  [{ gain: 'peak' }, 'audio.gain must be "none" or "max" or "standard"'],
  [{ scale: 0 }, 'audio.scale must be a number other than 0'],
  [{ samples: 400 }, 'features.frameLength must be a whole number from 1 to 400, not 480'],
])('refuses audio %j', (change, message) => {
  expect(() => validateAudioManifest(manifest({}, change))).toThrow(RuntimeError);
  expect(() => validateAudioManifest(manifest({}, change))).toThrow(message);
});

it.each<[object, string]>([
  [{ fftSize: 256 }, 'frameLength must be a whole number from 1 to 256, not 480'],
  [{ fftSize: 1 << 17 }, 'fftSize must be a whole number from 2 to 65536'],
  [{ fftSize: 1 << 15, padding: 'reflect' }, 'fftSize must be below twice the samples (16000)'],
  [{ frameStep: 0 }, 'frameStep must be a whole number from 1'],
  [{ window: 'kaiser' }, 'window must be "hann" or "hann-symmetric" or'],
  [{ padding: 'edge' }, 'padding must be "none" or "reflect"'],
  [{ frames: 50 }, 'frames must be a whole number from 1 to 49, not 50'],
  [{ range: 0 }, 'range must be a number above 0, not 0'],
  [{ spectrum: 'complex' }, 'spectrum must be "magnitude" or "power"'],
  [{ mel: undefined }, 'mel must be an object, not missing'],
  [{ mel: { ...FEATURES.mel, low: -1 } }, 'mel.low must be at least 0 Hz, not -1'],
  [{ mel: { ...FEATURES.mel, high: 20 } }, 'mel.high must be above low and at most half the sample rate'],
  [
    { mel: { ...FEATURES.mel, high: 8001 } },
    'mel.high must be above low and at most half the sample rate (8000 Hz)',
  ],
  [{ mel: { ...FEATURES.mel, scale: 'bark' } }, 'mel.scale must be "htk" or "slaney"'],
  [{ mel: { ...FEATURES.mel, triangles: 'log' } }, 'mel.triangles must be "mel" or "hertz"'],
  [{ mel: { ...FEATURES.mel, normalization: 'slaney' } }, 'mel.normalization must be "none" or "area"'],
  [{ mel: { ...FEATURES.mel, bands: 0 } }, 'mel.bands must be a whole number from 1'],
  [{ log: { ...FEATURES.log, base: '2' } }, 'log.base must be "e" or "10" or "decibel"'],
  [{ log: { ...FEATURES.log, floor: 0 } }, 'log.floor must be a number above 0'],
  [{ log: { ...FEATURES.log, floorMode: 'clip' } }, 'log.floorMode must be "add" or "max"'],
  [{ dct: { coefficients: 41, scaling: 'htk' } }, 'dct.coefficients must be a whole number from 1 to 40'],
  [{ dct: { coefficients: 10, scaling: 'none' } }, 'dct.scaling must be "orthonormal" or "htk"'],
  [{ std: 0 }, 'std must be a number other than 0'],
  [{ mean: '0' }, 'mean must be a number'],
  [{ layout: 'NCHW' }, 'layout must be "frames-bands" or "bands-frames"'],
])('refuses features %j', (change, message) => {
  expect(() => validateAudioManifest(withFeatures(change))).toThrow(
    `edgewise.json: audio.features.${message}`,
  );
});

it('refuses features that would fill the memory', () => {
  const features = { ...FEATURES, frameStep: 1, mel: { ...FEATURES.mel, bands: 1024 } };
  expect(() => validateAudioManifest(manifest({}, { samples: 1 << 22, features }))).toThrow(
    'audio.features.frameStep must be so large that there are at most 16777216 features',
  );
});

it.each<[object, string]>([
  [{ audio: undefined }, 'audio must be an object, not missing'],
  [{ labels: undefined }, 'labels must be an array of names, not missing'],
  [{ scores: 'softmax' }, 'scores must be "logits" or "probabilities"'],
  [{ ...VOICE, audio: manifest().audio }, 'audio.features must be left out: a voice activity model takes'],
  [{ ...VOICE, audio: { ...VOICE.audio, gain: 'max' } }, 'audio.gain must be none: a stream is never whole'],
  [{ ...VOICE, streaming: undefined }, 'streaming must be an object, not missing'],
  [{ ...VOICE, streaming: { states: [], context: -1 } }, 'streaming.context must be a whole number from 0'],
  [{ ...VOICE, streaming: {} }, 'streaming.states must be an array of 0 to 32 elements, not missing'],
  [{ ...VOICE, streaming: { states: [{ input: 'a' }] } }, 'streaming.states[0].output must be a text'],
  [
    { ...VOICE, streaming: { states: [VOICE.streaming.states[0], VOICE.streaming.states[0]] } },
    'streaming.states[1].input must be a name that no other state has',
  ],
  [{ ...VOICE, threshold: 1 }, 'threshold must be a number between 0 and 1, not 1'],
  [{ ...VOICE, threshold: '0.5x' }, 'threshold must be a number between 0 and 1'],
])('refuses %j', (change, message) => {
  expect(() => validateAudioManifest(manifest(change))).toThrow(`edgewise.json: ${message}`);
});
