/** How sound becomes the model's input; docs/package-format.md has the exact rules. */
export interface AudioInput {
  /** Samples per second of what the model was trained on; sound of another rate is resampled. */
  readonly sampleRate: number;
  /** Samples that the model takes at a time: a clip, or the chunk of a stream. */
  readonly samples: number;
  /**
   * `max`: a clip is divided by its largest sample where that is above 0. `standard`: its samples get the mean 0 and the
   * variance 1. Not for streams. Default `none`.
   */
  readonly gain?: 'none' | 'max' | 'standard';
  /** Multiplies the samples, which are −1…1. Default 1. */
  readonly scale?: number;
  /** What is computed of the samples. Left out: the samples are the input. */
  readonly features?: AudioFeatures;
}

/** A spectrogram on a mel scale, its logarithm, and the cepstral coefficients of it where there is a `dct`. */
export interface AudioFeatures {
  /** Samples of a frame. */
  readonly frameLength: number;
  /** Samples from one frame to the next. */
  readonly frameStep: number;
  /** Points of the transform; frames are padded with zeros to it, at the end. */
  readonly fftSize: number;
  /** Periodic windows are what transforms want; symmetric ones what filter design (and some exporters) do. */
  readonly window: AudioWindow;
  /** `reflect`: half an `fftSize` of mirrored samples on both sides, librosa's `center`. Default `none`. */
  readonly padding?: 'none' | 'reflect';
  readonly spectrum: 'magnitude' | 'power';
  readonly mel: MelFilterBank;
  readonly log: LogScale;
  readonly dct?: CosineTransform;
  /** So many frames are kept, from the start. Default: all. */
  readonly frames?: number;
  /** Values that are further below the clip's largest are raised to it less this. Default: none are. */
  readonly range?: number;
  /** A feature is (value − mean) / std. Defaults 0 and 1. */
  readonly mean?: number;
  readonly std?: number;
  /** Which axis comes first. */
  readonly layout: 'frames-bands' | 'bands-frames';
}

export type AudioWindow = (typeof AUDIO_WINDOWS)[number];

export const AUDIO_WINDOWS = [
  'hann',
  'hann-symmetric',
  'hamming',
  'hamming-symmetric',
  'rectangular',
] as const;

export interface MelFilterBank {
  readonly bands: number;
  /** Hertz. */
  readonly low: number;
  readonly high: number;
  /** `htk`: 1127·ln(1 + f/700). `slaney`: linear up to 1 kHz, logarithmic above. */
  readonly scale: 'htk' | 'slaney';
  /** Whether the sides of a triangle are straight in mel (TensorFlow, Kaldi) or in hertz (librosa, torchaudio). */
  readonly triangles: 'mel' | 'hertz';
  /** `area`: each triangle is scaled by 2 / (its width in hertz), librosa's `norm='slaney'`. Default `none`. */
  readonly normalization?: 'none' | 'area';
}

export interface LogScale {
  /** `e` and `10`: that logarithm; `decibel`: 10·log10. */
  readonly base: 'e' | '10' | 'decibel';
  /** Added to the value, or the least that it may be, before the logarithm. Above 0. */
  readonly floor: number;
  readonly floorMode: 'add' | 'max';
}

export interface CosineTransform {
  /** The first so many are kept. */
  readonly coefficients: number;
  /** DCT-II with factor √(2/bands); `orthonormal` divides the first coefficient by √2, `htk` does not (TensorFlow). */
  readonly scaling: 'orthonormal' | 'htk';
}
