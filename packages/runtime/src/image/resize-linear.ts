import type { Pixels } from './pixels.ts';
import type { Window } from './resize-pillow.ts';

/** For each output pixel of an axis its two source pixels and the weight of the second. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Weight of `second`, 0…1; the first has the rest. */
  readonly weights: Float32Array;
}

/** OpenCV's fixed point: INTER_RESIZE_COEF_BITS of modules/imgproc/src/resize.cpp. */
const COEF_ONE = 2048;

/**
 * Bilinear between the four nearest pixels, without averaging when it shrinks.
 *
 * `torch-bilinear`: float arithmetic as `torch.nn.functional.interpolate(align_corners=False)`, rounded half to even.
 * `opencv-linear`: OpenCV's integers for 8-bit images.
 */
export function resizeLinear(
  image: Pixels,
  width: number,
  height: number,
  kind: 'torch-bilinear' | 'opencv-linear',
  window: Window,
): Pixels {
  const across = tapsOf(image.width, width, window.left, window.width);
  const down = tapsOf(image.height, height, window.top, window.height);
  const data = kind === 'opencv-linear' ? inIntegers(image, across, down) : inFloats(image, across, down);
  return { width: window.width, height: window.height, step: 3, data };
}

function tapsOf(from: number, to: number, start: number, count: number): Taps {
  const scale = from / to;
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const weights = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const position = Math.min(Math.max((start + index + 0.5) * scale - 0.5, 0), from - 1);
    const floor = Math.floor(position);
    first[index] = floor;
    second[index] = Math.min(floor + 1, from - 1);
    weights[index] = position - floor;
  }
  return { first, second, weights };
}

function inFloats({ width, step, data }: Pixels, across: Taps, down: Taps): Uint8Array {
  const columns = across.first.length;
  const out = new Uint8Array(columns * down.first.length * 3);
  let to = 0;
  for (let row = 0; row < down.first.length; row++) {
    const upper = (down.first[row] as number) * width;
    const lower = (down.second[row] as number) * width;
    const y = down.weights[row] as number;
    for (let column = 0; column < columns; column++) {
      const left = across.first[column] as number;
      const right = across.second[column] as number;
      const x = across.weights[column] as number;
      for (let channel = 0; channel < 3; channel++) {
        const above =
          (data[(upper + left) * step + channel] as number) * (1 - x) +
          (data[(upper + right) * step + channel] as number) * x;
        const below =
          (data[(lower + left) * step + channel] as number) * (1 - x) +
          (data[(lower + right) * step + channel] as number) * x;
        out[to++] = roundHalfEven(above * (1 - y) + below * y);
      }
    }
  }
  return out;
}

/** Weights in 1/2048; rows are mixed with 4 bits less of the first sum, then 16 and 2 bits are dropped. */
function inIntegers({ width, step, data }: Pixels, across: Taps, down: Taps): Uint8Array {
  const columns = across.first.length;
  const out = new Uint8Array(columns * down.first.length * 3);
  let to = 0;
  for (let row = 0; row < down.first.length; row++) {
    const upper = (down.first[row] as number) * width;
    const lower = (down.second[row] as number) * width;
    const y = roundHalfEven((down.weights[row] as number) * COEF_ONE);
    const restY = roundHalfEven((1 - (down.weights[row] as number)) * COEF_ONE);
    for (let column = 0; column < columns; column++) {
      const left = across.first[column] as number;
      const right = across.second[column] as number;
      const x = roundHalfEven((across.weights[column] as number) * COEF_ONE);
      const restX = roundHalfEven((1 - (across.weights[column] as number)) * COEF_ONE);
      for (let channel = 0; channel < 3; channel++) {
        const above =
          (data[(upper + left) * step + channel] as number) * restX +
          (data[(upper + right) * step + channel] as number) * x;
        const below =
          (data[(lower + left) * step + channel] as number) * restX +
          (data[(lower + right) * step + channel] as number) * x;
        const sum = ((restY * (above >> 4)) >> 16) + ((y * (below >> 4)) >> 16);
        out[to++] = (sum + 2) >> 2;
      }
    }
  }
  return out;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
