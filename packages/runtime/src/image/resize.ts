import type { Resample } from '../format/index.ts';
import type { Pixels } from './pixels.ts';
import { resizeLinear } from './resize-linear.ts';
import { resizeNearest } from './resize-nearest.ts';
import { resizePillow, type Window } from './resize-pillow.ts';

/** A part of the image resized to `width` × `height`; only that part is computed. */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  resample: Resample,
  window: Window = { left: 0, top: 0, width, height },
): Pixels {
  switch (resample) {
    case 'nearest':
      return resizeNearest(image, width, height, window);
    case 'torch-bilinear':
    case 'opencv-linear':
      return resizeLinear(image, width, height, resample, window);
    default:
      return resizePillow(image, width, height, resample, window);
  }
}
