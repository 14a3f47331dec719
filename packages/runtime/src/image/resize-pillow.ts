import { coefficientsOf, PRECISION_BITS, type Coefficients } from './coefficients.ts';
import type { Filter } from './filters.ts';
import type { Pixels } from './pixels.ts';

/** A part of the resized image, in its pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const HALF = 1 << (PRECISION_BITS - 1);

/**
 * A part of the image resized to `width` × `height`, bit for bit what `Image.resize` and `crop` of Pillow up to 12 give for RGB
 * (src/libImaging/Resample.c): integers only after the weights, first across, then down, 8 bits in between. Pillow 13
 * goes down first for some sizes, which changes a value by at most 1.
 */
export function resizePillow(
  image: Pixels,
  width: number,
  height: number,
  filter: Filter,
  window: Window,
): Pixels {
  const across =
    width === image.width ? undefined : coefficientsOf(filter, image.width, width, window.left, window.width);
  const squeeze = (firstRow: number, rows: number): Uint8Array =>
    across ? resizeAcross(image, firstRow, rows, across) : cutColumns(image, firstRow, rows, window);
  const size = { width: window.width, height: window.height };
  if (height === image.height) return { ...size, data: squeeze(window.top, window.height) };

  const down = coefficientsOf(filter, image.height, height, window.top, window.height);
  const firstRow = down.starts[0] ?? 0;
  const last = window.height - 1;
  const rows = (down.starts[last] ?? 0) + (down.counts[last] ?? 0) - firstRow;
  const data = resizeDown(squeeze(firstRow, rows), window.width * 3, firstRow, down, window.height);
  return { ...size, data };
}

function cutColumns({ width, data }: Pixels, firstRow: number, rows: number, window: Window): Uint8Array {
  const bytes = window.width * 3;
  const out = new Uint8Array(rows * bytes);
  for (let row = 0; row < rows; row++) {
    const start = ((firstRow + row) * width + window.left) * 3;
    out.set(data.subarray(start, start + bytes), row * bytes);
  }
  return out;
}

function resizeAcross(image: Pixels, firstRow: number, rows: number, across: Coefficients): Uint8Array {
  const { width, data } = image;
  const { stride, starts, counts, weights } = across;
  const columns = starts.length;
  const out = new Uint8Array(rows * columns * 3);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const rowStart = (firstRow + row) * width * 3;
    for (let column = 0; column < columns; column++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = rowStart + (starts[column] as number) * 3;
      const first = column * stride;
      const end = first + (counts[column] as number);
      for (let tap = first; tap < end; tap++, from += 3) {
        const weight = weights[tap] as number;
        red = (red + Math.imul(data[from] as number, weight)) | 0;
        green = (green + Math.imul(data[from + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(data[from + 2] as number, weight)) | 0;
      }
      out[to] = clip(red);
      out[to + 1] = clip(green);
      out[to + 2] = clip(blue);
      to += 3;
    }
  }
  return out;
}

/** `bytes` of a row of `data`; its first row is row `firstRow` of the image. */
function resizeDown(
  data: Uint8Array,
  bytes: number,
  firstRow: number,
  down: Coefficients,
  rows: number,
): Uint8Array {
  const { stride, starts, counts, weights } = down;
  const out = new Uint8Array(rows * bytes);
  const sums = new Int32Array(bytes);
  for (let row = 0; row < rows; row++) {
    sums.fill(HALF);
    const start = (starts[row] as number) - firstRow;
    const taps = counts[row] as number;
    for (let tap = 0; tap < taps; tap++) {
      const weight = weights[row * stride + tap] as number;
      const from = (start + tap) * bytes;
      for (let index = 0; index < bytes; index++) {
        sums[index] = (sums[index] as number) + Math.imul(data[from + index] as number, weight);
      }
    }
    const to = row * bytes;
    for (let index = 0; index < bytes; index++) out[to + index] = clip(sums[index] as number);
  }
  return out;
}

function clip(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
