import { RuntimeError } from '../runtime-error.ts';

/** Eight bits a channel, rows from the top, pixels from the left: RGBRGB… */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Bytes from one pixel to the next; the fourth counts for nothing. */
  readonly step: 3 | 4;
  /** `step × width × height` bytes. */
  readonly data: Uint8Array;
}

/** An image that is decoded already; what a decoder such as sharp gives. */
export interface RawImage {
  /** `channels × width × height` bytes, row by row, the channels of a pixel together. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and alpha, 3: RGB, 4: RGB and alpha (not premultiplied). */
  readonly channels: 1 | 2 | 3 | 4;
}

/** Three bytes each make 384 MiB; Pillow warns of a decompression bomb at two thirds of it. */
const MAX_PIXELS = 2 ** 27;

/**
 * RGB of an image. Grey becomes three equal channels; transparent pixels are composited on `background`
 * (red, green, blue, 0…255). Opaque RGB is not copied, with or without alpha.
 */
export function toPixels(image: RawImage, background: readonly number[] = [0, 0, 0]): Pixels {
  const { data, width, height, channels } = image;
  checkSize(width, height);
  if (![1, 2, 3, 4].includes(channels)) {
    throw new RuntimeError('bad-input', `an image has 1 to 4 channels, not ${String(channels)}`);
  }
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new RuntimeError('bad-input', 'the data of an image is a Uint8Array or a Uint8ClampedArray');
  }
  if (data.length !== width * height * channels) {
    throw new RuntimeError(
      'bad-input',
      `an image of ${width} × ${height} with ${channels} channels has ${width * height * channels} bytes, not ${data.length}`,
    );
  }
  if (channels === 3 || (channels === 4 && isOpaque(data))) {
    return { width, height, step: channels, data: bytesOf(data) };
  }
  return { width, height, step: 3, data: toRgb(data, channels, background) };
}

/** Throws `bad-input` for sizes that no image has, or that would exhaust the memory. */
export function checkSize(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RuntimeError(
      'bad-input',
      `an image of ${width} × ${height} has no pixels: it is empty, closed or not loaded yet`,
    );
  }
  if (width * height > MAX_PIXELS) {
    throw new RuntimeError(
      'bad-input',
      `an image of ${width} × ${height} is too large; at most ${MAX_PIXELS} pixels: make it smaller first`,
    );
  }
}

function isOpaque(rgba: ArrayLike<number>): boolean {
  for (let alpha = 3; alpha < rgba.length; alpha += 4) {
    if (rgba[alpha] !== 255) return false;
  }
  return true;
}

function bytesOf(data: Uint8Array | Uint8ClampedArray): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.length);
}

function toRgb(data: ArrayLike<number>, channels: 1 | 2 | 4, background: readonly number[]): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  const [green, blue] = channels === 4 ? [1, 2] : [0, 0];
  const alphaAt = channels === 1 ? -1 : channels - 1;
  const [backRed = 0, backGreen = 0, backBlue = 0] = background;
  for (let pixel = 0, from = 0, to = 0; pixel < pixels; pixel++, from += channels, to += 3) {
    const alpha = alphaAt < 0 ? 255 : (data[from + alphaAt] as number);
    rgb[to] = over(data[from] as number, backRed, alpha);
    rgb[to + 1] = over(data[from + green] as number, backGreen, alpha);
    rgb[to + 2] = over(data[from + blue] as number, backBlue, alpha);
  }
  return rgb;
}

/** The mix of two bytes by an alpha of 0…255, rounded as Pillow's `paste` with a mask does (its MULDIV255). */
function over(front: number, back: number, alpha: number): number {
  const mix = front * alpha + back * (255 - alpha) + 128;
  return ((mix >> 8) + mix) >> 8;
}
