import { readFileSync } from 'node:fs';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import type { AudioFeatures } from '../format/index.ts';
import { featureExtractor } from './features.ts';

interface Case {
  readonly seed: number;
  readonly samples: number;
  readonly sampleRate: number;
  readonly features: AudioFeatures;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
const path = new URL('../../test/fixtures/audio/features.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] };

const noise = (seed: number, length: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => (Math.floor(256 * random()) - 128) / 128);
};

it.each(cases)(
  'case $seed is what librosa computes',
  ({ seed, samples, sampleRate, features, ...expected }) => {
    const { shape, data } = featureExtractor(features, sampleRate)(noise(seed, samples));
    expect(shape).toEqual(expected.shape);
    // Ours is float64 up to the last rounding to float32; logarithms are of the order of 50.
    data.forEach((value, index) => expect(Math.abs(value - expected.values[index]!)).toBeLessThan(5e-6));
  },
);

it('frames and range are what WhisperFeatureExtractor does to the logarithms', () => {
  const { seed, samples, sampleRate, features, shape, values } = cases.find(
    (each) => each.features.log.base === '10',
  )!;
  const [bands = 0, frames = 0] = shape;
  const kept = values.filter((_, index) => index % frames < frames - 1);
  const least = Math.max(...kept) - 0.8;
  expect(kept.some((value) => value < least)).toBe(true);
  const whisper = { ...features, frames: frames - 1, range: 0.8, mean: -4, std: 4 };
  const found = featureExtractor(whisper, sampleRate)(noise(seed, samples));
  expect(found.shape).toEqual([bands, frames - 1]);
  expectTensorClose(
    found.data,
    kept.map((value) => (Math.max(value, least) + 4) / 4),
    { abs: 5e-6 },
  );
});

it('every case changes the result', () => {
  const all = cases.map(({ features, sampleRate, samples }) =>
    Array.from(featureExtractor(features, sampleRate)(noise(1, samples)).data).join(),
  );
  expect(new Set(all).size).toBe(cases.length);
});

it('one extractor computes each clip anew', () => {
  const { features, sampleRate, samples } = cases[0]!;
  const extract = featureExtractor(features, sampleRate);
  const first = extract(noise(1, samples)).data;
  extract(noise(2, samples));
  expect(extract(noise(1, samples)).data).toEqual(first);
});
