import { at, fail, finite, int, oneOf, optional, type Field } from '../check.ts';
import { AUDIO_WINDOWS } from './audio-input.ts';

const MIN_RATE = 1000;
export const MAX_RATE = 768_000;
/** More than a minute at 48 kHz. */
const MAX_SAMPLES = 1 << 22;
const MAX_FFT_SIZE = 1 << 16;
const MAX_BANDS = 1024;
const MAX_FEATURES = 1 << 24;

/** Checks `audio` of an audio package. */
export function checkAudioInput(field: Field): void {
  const rate = int(at(field, 'sampleRate'), MIN_RATE, MAX_RATE);
  const samples = int(at(field, 'samples'), 1, MAX_SAMPLES);
  optional(at(field, 'gain'), (gain) => oneOf(gain, ['none', 'max', 'standard']));
  optional(at(field, 'scale'), nonZero);
  optional(at(field, 'features'), (features) => checkFeatures(features, rate, samples));
}

function checkFeatures(features: Field, rate: number, samples: number): void {
  const fftSize = int(at(features, 'fftSize'), 2, MAX_FFT_SIZE);
  const padding = optional(at(features, 'padding'), (field) => oneOf(field, ['none', 'reflect']));
  const half = padding === 'reflect' ? fftSize >> 1 : 0;
  // A mirrored sample must be there.
  if (half >= samples) fail(at(features, 'fftSize'), `below twice the samples (${samples})`);
  const length = int(at(features, 'frameLength'), 1, Math.min(fftSize, samples + 2 * half));
  const step = int(at(features, 'frameStep'), 1, MAX_FFT_SIZE);
  oneOf(at(features, 'window'), AUDIO_WINDOWS);
  oneOf(at(features, 'spectrum'), ['magnitude', 'power']);
  const bands = checkMel(at(features, 'mel'), rate);
  if ((samples + 2 * half) * bands > MAX_FEATURES * step) {
    fail(at(features, 'frameStep'), `so large that there are at most ${MAX_FEATURES} features`);
  }
  const span = half > 0 ? fftSize : length;
  optional(at(features, 'frames'), (frames) =>
    int(frames, 1, Math.floor((samples + 2 * half - span) / step) + 1),
  );
  optional(at(features, 'range'), positive);
  checkLog(at(features, 'log'));
  optional(at(features, 'dct'), (dct) => {
    int(at(dct, 'coefficients'), 1, bands);
    oneOf(at(dct, 'scaling'), ['orthonormal', 'htk']);
  });
  optional(at(features, 'mean'), finite);
  optional(at(features, 'std'), nonZero);
  oneOf(at(features, 'layout'), ['frames-bands', 'bands-frames']);
}

/** Returns the number of bands. */
function checkMel(mel: Field, rate: number): number {
  const low = at(mel, 'low');
  const high = at(mel, 'high');
  if (finite(low) < 0) fail(low, 'at least 0 Hz');
  if (finite(high) <= finite(low) || finite(high) > rate / 2) {
    fail(high, `above low and at most half the sample rate (${rate / 2} Hz)`);
  }
  oneOf(at(mel, 'scale'), ['htk', 'slaney']);
  oneOf(at(mel, 'triangles'), ['mel', 'hertz']);
  optional(at(mel, 'normalization'), (field) => oneOf(field, ['none', 'area']));
  return int(at(mel, 'bands'), 1, MAX_BANDS);
}

function checkLog(log: Field): void {
  oneOf(at(log, 'base'), ['e', '10', 'decibel']);
  positive(at(log, 'floor'));
  oneOf(at(log, 'floorMode'), ['add', 'max']);
}

function positive(field: Field): void {
  if (finite(field) <= 0) fail(field, 'a number above 0');
}

function nonZero(field: Field): void {
  if (finite(field) === 0) fail(field, 'a number other than 0');
}
