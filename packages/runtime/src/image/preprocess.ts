import type { ImagePreprocessing } from '../format/index.ts';
import { placeImage, type Placement } from './fit.ts';
import { inputTensor, type InputTensor } from './input-tensor.ts';
import { toPixels, type Pixels, type RawImage } from './pixels.ts';
import { resize } from './resize.ts';

export interface PreparedImage {
  readonly input: InputTensor;
  /** How positions in the input become positions in the image. */
  readonly placement: Placement;
}

/** Makes the model's input of an image. The same bits in every browser and in Node for the same pixels. */
export function preprocess(image: RawImage, preprocessing: ImagePreprocessing): PreparedImage {
  const pixels = toPixels(image, preprocessing.background);
  const placement = placeImage(pixels.width, pixels.height, preprocessing);
  return { input: inputTensor(fitPixels(pixels, placement, preprocessing), preprocessing), placement };
}

function fitPixels(pixels: Pixels, placement: Placement, preprocessing: ImagePreprocessing): Pixels {
  const { resizedWidth, resizedHeight, left, top } = placement;
  const { width, height, fit, resample, resampleEnlarging = resample } = preprocessing;
  const window = {
    left: Math.max(left, 0),
    top: Math.max(top, 0),
    width: Math.min(width, resizedWidth),
    height: Math.min(height, resizedHeight),
  };
  const method = resizedWidth < pixels.width ? resample : resampleEnlarging;
  const resized = resize(pixels, resizedWidth, resizedHeight, method, window);
  if (fit.mode !== 'letterbox') return resized;
  return pad(resized, { left: -left, top: -top, width, height }, fit.padding);
}

/** Lays the image into one of the size of `frame`, its corner at `frame.left` and `frame.top`. */
function pad(
  { width, height, data }: Pixels,
  frame: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
  value: number,
): Pixels {
  const out = new Uint8Array(frame.width * frame.height * 3).fill(value);
  for (let row = 0; row < height; row++) {
    const from = row * width * 3;
    const to = ((frame.top + row) * frame.width + frame.left) * 3;
    out.set(data.subarray(from, from + width * 3), to);
  }
  return { width: frame.width, height: frame.height, step: 3, data: out };
}
