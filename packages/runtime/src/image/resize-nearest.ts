import type { Pixels } from './pixels.ts';
import type { Window } from './resize-pillow.ts';

/** A part of the image resized without averaging, as Pillow's `NEAREST` does (`ImagingScaleAffine` in Geometry.c). */
export function resizeNearest(image: Pixels, width: number, height: number, window: Window): Pixels {
  const columns = sourcesOf(image.width, width).subarray(window.left, window.left + window.width);
  const rows = sourcesOf(image.height, height).subarray(window.top, window.top + window.height);
  const { data, step } = image;
  const out = new Uint8Array(window.width * window.height * 3);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * image.width + column) * step;
      out[to] = data[from] as number;
      out[to + 1] = data[from + 1] as number;
      out[to + 2] = data[from + 2] as number;
      to += 3;
    }
  }
  return { width: window.width, height: window.height, step: 3, data: out };
}

/** The source of each output pixel. The position is added up as Pillow does, for the same rounding. */
function sourcesOf(from: number, to: number): Int32Array {
  const step = from / to;
  let position = step * 0.5;
  const sources = new Int32Array(to);
  for (let index = 0; index < to; index++, position += step) {
    sources[index] = Math.min(Math.trunc(position), from - 1);
  }
  return sources;
}
