import { validateAudioManifest, type Manifest } from '@edgewise/runtime/format';
import { expect, it } from 'vitest';
import { audioInputOf } from './audio-input-of.ts';
import type { Json } from './config-json.ts';

const of = (processor: Json, samples?: number): ReturnType<typeof audioInputOf> =>
  audioInputOf({ processor, file: 'preprocessor_config.json', samples });

const WAV2VEC2 = {
  feature_extractor_type: 'Wav2Vec2FeatureExtractor',
  feature_size: 1,
  sampling_rate: 16_000,
  padding_value: 0,
};

/** As openai/whisper-tiny has it, without the filters. */
const WHISPER = {
  feature_extractor_type: 'WhisperFeatureExtractor',
  chunk_length: 30,
  feature_size: 80,
  hop_length: 160,
  n_fft: 400,
  n_samples: 480_000,
  nb_max_frames: 3000,
  padding_side: 'right',
  padding_value: 0,
  sampling_rate: 16_000,
};

it('raw samples, normalized unless it says otherwise', () => {
  expect(of(WAV2VEC2, 8000)).toEqual({ sampleRate: 16_000, samples: 8000, gain: 'standard' });
  expect(of({ ...WAV2VEC2, do_normalize: false }, 8000)).toEqual({ sampleRate: 16_000, samples: 8000 });
});

it("Whisper's spectrogram has the frames and bands that its encoder takes", () => {
  const audio = of(WHISPER);
  expect(audio).toMatchObject({ sampleRate: 16_000, samples: 480_000 });
  expect(audio.features).toMatchObject({ frames: 3000, range: 8, mean: -4, std: 4, layout: 'bands-frames' });
  expect(of({ ...WHISPER, feature_size: 128 }).features?.mel.bands).toBe(128);
  const manifest = { task: 'audio-classification', labels: ['a'], audio } as unknown as Manifest;
  expect(() => validateAudioManifest(manifest)).not.toThrow();
});

it.each<[Json, string]>([
  [WAV2VEC2, 'does not say how long clips are'],
  [{ ...WAV2VEC2, feature_size: 2 }, 'feature_size 2 cannot be followed, only 1'],
  [{ ...WHISPER, padding_value: -1 }, 'padding_value -1 cannot be followed, only 0'],
  [{ ...WHISPER, dither: 0.1 }, 'dither 0.1 cannot be followed, only 0'],
  [{ feature_extractor_type: 'ASTFeatureExtractor' }, "takes Kaldi's filter banks"],
  [{ feature_extractor_type: 'ClapFeatureExtractor' }, '"ClapFeatureExtractor" is not known'],
  [{ feature_extractor_type: 'constructor' }, '"constructor" is not known'],
  [{ size: 224 }, 'feature_extractor_type undefined is not known'],
])('refuses %j', (processor, message) => {
  expect(() => of(processor)).toThrow(`preprocessor_config.json`);
  expect(() => of(processor)).toThrow(message);
});
