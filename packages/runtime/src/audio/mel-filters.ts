import type { MelFilterBank } from '../format/index.ts';

/** One triangle: the first bin that counts and the weights from there on. */
export interface MelFilter {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangles whose corners are evenly spaced on the mel scale, over the bins 0…fftSize/2 of a spectrum. */
export function melFilters(bank: MelFilterBank, fftSize: number, sampleRate: number): readonly MelFilter[] {
  const { bands, low, high, scale, triangles, normalization = 'none' } = bank;
  const { toMel, toHertz } = SCALES[scale];
  const [bottom, top] = [toMel(low), toMel(high)];
  const corner = (index: number): number => bottom + ((top - bottom) * index) / (bands + 1);
  const axis = triangles === 'mel' ? (hertz: number) => hertz : toHertz;
  const bins = Float64Array.from({ length: Math.floor(fftSize / 2) + 1 }, (_, bin) => {
    const hertz = (bin * sampleRate) / fftSize;
    return triangles === 'mel' ? toMel(hertz) : hertz;
  });
  return Array.from({ length: bands }, (_, band) => {
    const edge = (step: number): number => axis(corner(band + step));
    const [left, middle, right] = [edge(0), edge(1), edge(2)];
    const height = normalization === 'area' ? 2 / (toHertz(corner(band + 2)) - toHertz(corner(band))) : 1;
    const weights = bins.map((x) => {
      const rise = (x - left) / (middle - left);
      const fall = (right - x) / (right - middle);
      return height * Math.max(0, Math.min(rise, fall));
    });
    // The constant part of a signal belongs to no band: TensorFlow, librosa and Kaldi all leave it out.
    weights[0] = 0;
    return trim(weights);
  });
}

interface MelScale {
  readonly toMel: (hertz: number) => number;
  readonly toHertz: (mel: number) => number;
}

/** Of Slaney's Auditory Toolbox: 200/3 Hz a mel up to 1 kHz, then 27 mels for each factor of 6.4. */
const MELS_PER_HERTZ = 3 / 200;
const CORNER_HERTZ = 1000;
const CORNER_MEL: number = CORNER_HERTZ * MELS_PER_HERTZ;
const LOG_STEP: number = Math.log(6.4) / 27;

const SCALES: Readonly<Record<MelFilterBank['scale'], MelScale>> = {
  htk: {
    toMel: (hertz) => 1127 * Math.log1p(hertz / 700),
    toHertz: (mel) => 700 * Math.expm1(mel / 1127),
  },
  slaney: {
    toMel: (hertz) =>
      hertz < CORNER_HERTZ ? hertz * MELS_PER_HERTZ : CORNER_MEL + Math.log(hertz / CORNER_HERTZ) / LOG_STEP,
    toHertz: (mel) =>
      mel < CORNER_MEL ? mel / MELS_PER_HERTZ : CORNER_HERTZ * Math.exp((mel - CORNER_MEL) * LOG_STEP),
  },
};

function trim(weights: Float64Array): MelFilter {
  const first = weights.findIndex((weight) => weight !== 0);
  if (first < 0) return { first: 0, weights: new Float64Array(0) };
  return { first, weights: weights.slice(first, weights.findLastIndex((weight) => weight !== 0) + 1) };
}
