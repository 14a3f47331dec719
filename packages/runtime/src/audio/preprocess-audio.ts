import type { AudioInput } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import { featureExtractor } from './features.ts';
import { toMono, type RawAudio } from './raw-audio.ts';
import { resample } from './resampler.ts';

/** The model's input for one clip, row-major. */
export interface PreparedAudio {
  /** `[1, samples]`, or what the features are: `[1, frames, bands]` or `[1, bands, frames]`. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Prepares what `audio` says; the result makes the model's input of a clip: one channel, the model's rate, its length
 * (cut at the end, or zeros added there after gain and scale), features.
 */
export function audioPreprocessor(audio: AudioInput): (clip: RawAudio) => PreparedAudio {
  const { sampleRate, samples, gain = 'none', scale = 1, features } = audio;
  const extract = features && featureExtractor(features, sampleRate);
  return (clip) => {
    const mono = toMono(clip);
    if (mono.length === 0) throw new RuntimeError('bad-input', 'the clip has no samples');
    const resampled = resample(mono, clip.sampleRate, sampleRate);
    const kept = resampled.subarray(0, samples);
    const { middle, spread } = LEVELS[gain](kept);
    const factor = scale / spread;
    const fitted = new Float32Array(samples);
    kept.forEach((value, index) => (fitted[index] = (value - middle) * factor));
    if (!extract) return { shape: [1, samples], data: fitted };
    const { shape, data } = extract(fitted);
    return { shape: [1, ...shape], data };
  };
}

/** What a sample is taken off and divided by. */
interface Level {
  readonly middle: number;
  readonly spread: number;
}

/** Keeps silence finite; Hugging Face's `zero_mean_unit_var_norm`. */
const LEAST_VARIANCE = 1e-7;

const LEVELS: Readonly<Record<NonNullable<AudioInput['gain']>, (samples: Float32Array) => Level>> = {
  none: () => ({ middle: 0, spread: 1 }),
  // Where none is above 0 silence stays silence.
  max: (samples) => ({ middle: 0, spread: samples.reduce((a, b) => Math.max(a, b), 0) || 1 }),
  standard: (samples) => {
    const mean = (values: Float32Array, of: (value: number) => number): number =>
      values.reduce((sum, value) => sum + of(value), 0) / values.length;
    const middle = mean(samples, (value) => value);
    return { middle, spread: Math.sqrt(mean(samples, (value) => (value - middle) ** 2) + LEAST_VARIANCE) };
  },
};
