import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { resample, Resampler } from './resampler.ts';

const RATES = [
  [48_000, 16_000],
  [44_100, 16_000],
  [8_000, 16_000],
  [16_000, 44_100],
  [22_050, 16_000],
  [11_025, 8_000],
] as const;

const sine = (rate: number, hertz: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));

/** Largest difference away from the ends, where silence begins. */
const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.slice(50, -50).reduce((most, value, index) => Math.max(most, Math.abs(value - b[index + 50]!)), 0);

describe.each(RATES)('%i to %i', (from, to) => {
  const length = Math.floor(from / 4);
  const lower = Math.min(from, to) / 2;

  it('keeps a tone in its place', () => {
    const hertz = 0.4 * lower;
    const output = resample(sine(from, hertz, length), from, to);
    expect(output).toHaveLength(Math.ceil((length * to) / from));
    expect(largestDifference(output, sine(to, hertz, output.length))).toBeLessThan(0.005);
  });

  it('keeps a constant', () => {
    const output = resample(new Float32Array(length).fill(1), from, to);
    expect(largestDifference(output, new Float32Array(output.length).fill(1))).toBeLessThan(0.005);
  });

  it('gives the same bits piece by piece', () => {
    const random = seededRandom(from + to);
    const samples = random.uniform(5000, -1, 1);
    const resampler = new Resampler(from, to);
    const pieces: number[] = [];
    for (let at = 0; at < samples.length;) {
      const end = at + random.int(0, 400);
      pieces.push(...resampler.push(samples.subarray(at, end)));
      at = end;
    }
    pieces.push(...resampler.finish());
    expect(Float32Array.from(pieces)).toEqual(resample(samples, from, to));
  });
});

it('takes away what the lower rate cannot hold, down to −46 dB', () => {
  const output = resample(sine(48_000, 11_000, 12_000), 48_000, 16_000);
  expect(largestDifference(output, new Float32Array(output.length))).toBeLessThan(0.005);
});

it('hands samples of the right rate through', () => {
  const samples = Float32Array.of(0.5, -0.25);
  expect(resample(samples, 16_000, 16_000)).toEqual(samples);
  expect(resample(new Float32Array(0), 48_000, 16_000)).toHaveLength(0);
  expect(resample(Float32Array.of(1), 48_000, 16_000)).toHaveLength(1);
});
