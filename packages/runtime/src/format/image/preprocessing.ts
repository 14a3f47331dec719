/** How an image becomes the model's input; docs/package-format.md has the exact rules. */
export interface ImagePreprocessing {
  /** What the model takes, in pixels. */
  readonly width: number;
  readonly height: number;
  /** How an image of another shape gets that size. */
  readonly fit: ImageFit;
  /** How pixels are resampled. */
  readonly resample: Resample;
  /** Used instead of `resample` where the image becomes wider or keeps its width. Default: `resample`. */
  readonly resampleEnlarging?: Resample;
  /** Order of the channels; `L` is one channel of luma (ITU-R 601-2 as Pillow computes it). */
  readonly channels: ImageChannels;
  readonly layout: 'NCHW' | 'NHWC';
  readonly dtype: 'float32' | 'uint8' | 'int8';
  /** A value is (pixel × scale − mean) / std, pixel 0…255. Default 1. */
  readonly scale?: number;
  /** One number per channel, in the order of `channels`. Default 0. */
  readonly mean?: readonly number[];
  /** One number per channel, in the order of `channels`, none 0. Default 1. */
  readonly std?: readonly number[];
  /** What transparent pixels are composited on, red, green and blue, 0…255. Default black. */
  readonly background?: readonly number[];
}

export type ImageChannels = 'RGB' | 'BGR' | 'L';

export type ImageFit = StretchFit | CropFit | LetterboxFit;

/** Resized to the input's size, whatever its shape. */
export interface StretchFit {
  readonly mode: 'stretch';
}

/** Resized until the shorter side is `shorterSide`, then cut from the middle. */
export interface CropFit {
  readonly mode: 'crop';
  /** Pixels, at least the input's width and height. The longer side is rounded down. */
  readonly shorterSide: number;
}

/** Resized to fit inside, aspect kept; what is left is filled. */
export interface LetterboxFit {
  readonly mode: 'letterbox';
  /** Where the image lies. With `center` an odd pixel of padding goes to the right and the bottom. */
  readonly align: 'center' | 'top-left';
  /** Pixel value of the filling, 0…255. */
  readonly padding: number;
  /** How the resized sides become whole pixels: YOLOX rounds down, Ultralytics to the nearest. */
  readonly rounding: 'floor' | 'round';
}

/**
 * `nearest`, `box`, `bilinear`, `bicubic`, `lanczos`: bit for bit Pillow's, which average when they shrink.
 * `torch-bilinear`: torchvision's with `antialias=False`. `opencv-linear`: OpenCV's `INTER_LINEAR`.
 */
export type Resample = (typeof RESAMPLES)[number];

export const RESAMPLES = [
  'nearest',
  'box',
  'bilinear',
  'bicubic',
  'lanczos',
  'torch-bilinear',
  'opencv-linear',
] as const;
