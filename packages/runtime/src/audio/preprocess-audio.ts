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
 * (cut at the end, or zeros added there), gain and scale, features.
 */
export function audioPreprocessor(audio: AudioInput): (clip: RawAudio) => PreparedAudio {
  const { sampleRate, samples, gain, scale = 1, features } = audio;
  const extract = features && featureExtractor(features, sampleRate);
  return (clip) => {
    const mono = toMono(clip);
    if (mono.length === 0) throw new RuntimeError('bad-input', 'the clip has no samples');
    const resampled = resample(mono, clip.sampleRate, sampleRate);
    const fitted = new Float32Array(samples);
    fitted.set(resampled.subarray(0, samples));
    const factor = gain === 'max' ? scale / largest(fitted) : scale;
    const scaled = factor === 1 ? fitted : fitted.map((value) => value * factor);
    if (!extract) return { shape: [1, samples], data: scaled };
    const { shape, data } = extract(scaled);
    return { shape: [1, ...shape], data };
  };
}

/** The largest sample; 1 where none is above 0, so that silence stays silence. */
function largest(samples: Float32Array): number {
  const most = samples.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? most : 1;
}
