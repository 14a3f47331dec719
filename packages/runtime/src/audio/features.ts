import type { AudioFeatures, AudioWindow, CosineTransform, LogScale } from '../format/index.ts';
import { FourierTransform, type Complex } from './fourier.ts';
import { melFilters } from './mel-filters.ts';

/** Features of a clip, row-major. */
export interface FeatureMap {
  /** `[frames, bands]` or `[bands, frames]`; bands are coefficients after a cosine transform. */
  readonly shape: readonly [number, number];
  readonly data: Float32Array;
}

/** Prepares what features of one kind need (window, filters, tables); the result computes them of clips. */
export function featureExtractor(
  features: AudioFeatures,
  sampleRate: number,
): (samples: Float32Array) => FeatureMap {
  const {
    frameLength,
    frameStep,
    fftSize,
    mel,
    range = Infinity,
    mean = 0,
    std = 1,
    dct,
    padding,
    layout,
  } = features;
  const window = windowOf(features.window, frameLength);
  const fourier = new FourierTransform(fftSize);
  const filters = melFilters(mel, fftSize, sampleRate);
  const toLog = logarithm(features.log);
  const rows = dct && cosineRows(dct, mel.bands);
  const frame = new Float64Array(fftSize);

  const bandsOf = (): Float64Array => {
    const spectrum = fold(fourier.transform(frame), features.spectrum);
    const bands = Float64Array.from(filters, ({ first, weights }) =>
      toLog(weights.reduce((sum, weight, index) => sum + weight * (spectrum[first + index] as number), 0)),
    );
    return rows ? Float64Array.from(rows, (row) => dot(row, bands)) : bands;
  };

  return (clip) => {
    const samples = padding === 'reflect' ? reflect(clip, fftSize >> 1) : clip;
    // librosa's frames are as long as the transform, with the window in their middle.
    const offset = padding === 'reflect' ? (fftSize - frameLength) >> 1 : 0;
    const span = padding === 'reflect' ? fftSize : frameLength;
    const { frames = Math.floor((samples.length - span) / frameStep) + 1 } = features;
    const width = dct?.coefficients ?? mel.bands;
    const values = new Float64Array(frames * width);
    const isBandsFirst = layout === 'bands-frames';
    for (let index = 0; index < frames; index++) {
      const start = index * frameStep + offset;
      window.forEach((weight, at) => (frame[at] = weight * (samples[start + at] as number)));
      bandsOf().forEach((value, band) => {
        values[isBandsFirst ? band * frames + index : index * width + band] = value;
      });
    }
    const floor = values.reduce((a, b) => Math.max(a, b), -Infinity) - range;
    const data = Float32Array.from(values, (value) => (Math.max(value, floor) - mean) / std);
    return { shape: isBandsFirst ? [width, frames] : [frames, width], data };
  };
}

/** Hann: ½ − ½·cos; Hamming: 0.54 − 0.46·cos; one period over `length` (periodic) or length − 1 samples (symmetric). */
function windowOf(name: AudioWindow, length: number): Float64Array {
  if (name === 'rectangular') return new Float64Array(length).fill(1);
  const period = Math.max(1, name.endsWith('-symmetric') ? length - 1 : length);
  const [base, swing] = name.startsWith('hann') ? [0.5, 0.5] : [0.54, 0.46];
  return Float64Array.from({ length }, (_, index) => base - swing * Math.cos((2 * Math.PI * index) / period));
}

function fold({ real, imaginary }: Complex, spectrum: AudioFeatures['spectrum']): Float64Array {
  const power = real.map((x, bin) => x * x + (imaginary[bin] as number) ** 2);
  return spectrum === 'power' ? power : power.map(Math.sqrt);
}

function logarithm({ base, floor, floorMode }: LogScale): (value: number) => number {
  const scale = { e: 1, '10': Math.LOG10E, decibel: 10 * Math.LOG10E }[base];
  return floorMode === 'add'
    ? (value) => scale * Math.log(value + floor)
    : (value) => scale * Math.log(Math.max(value, floor));
}

/** DCT-II: row k holds √(2/N)·cos(πk(2n + 1)/2N). */
function cosineRows({ coefficients, scaling }: CosineTransform, bands: number): readonly Float64Array[] {
  return Array.from({ length: coefficients }, (_, k) => {
    const factor = Math.sqrt((k === 0 && scaling === 'orthonormal' ? 1 : 2) / bands);
    return Float64Array.from(
      { length: bands },
      (__, n) => factor * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * bands)),
    );
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}

/** Mirrors `count` samples at both ends, the sample at the end itself not repeated. */
function reflect(samples: Float32Array, count: number): Float32Array {
  const last = samples.length - 1;
  return Float32Array.from({ length: samples.length + 2 * count }, (_, index) => {
    const at = Math.abs(index - count);
    return samples[at > last ? 2 * last - at : at] as number;
  });
}
