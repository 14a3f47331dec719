import type { ImageChannels, ImagePreprocessing } from '../format/index.ts';
import type { Pixels } from './pixels.ts';

/** The model's input for one image, row-major. */
export interface InputTensor {
  /** `[1, channels, height, width]` or `[1, height, width, channels]`. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int8Array;
}

const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array } as const;
const INTEGERS: Readonly<Record<ImagePreprocessing['dtype'], readonly [number, number] | undefined>> = {
  float32: undefined,
  uint8: [0, 255],
  int8: [-128, 127],
};

/** Lays pixels out as the model wants them: channel order, (pixel × scale − mean) / std, layout, type. */
export function inputTensor(pixels: Pixels, preprocessing: ImagePreprocessing): InputTensor {
  const { channels, layout, dtype } = preprocessing;
  const { width, height } = pixels;
  const planes = planesOf(pixels, channels);
  const data = new ARRAYS[dtype](width * height * planes.length);
  const isPlanar = layout === 'NCHW';
  planes.forEach(({ source, offset, step }, channel) => {
    const values = valuesOf(preprocessing, channel);
    let to = isPlanar ? channel * width * height : channel;
    const stride = isPlanar ? 1 : planes.length;
    for (let from = offset; from < source.length; from += step, to += stride) {
      data[to] = values[source[from] as number] as number;
    }
  });
  const size = [height, width];
  return { shape: isPlanar ? [1, planes.length, ...size] : [1, ...size, planes.length], data };
}

/** Where the bytes of one channel are. */
interface Plane {
  readonly source: Uint8Array;
  readonly offset: number;
  readonly step: number;
}

function planesOf({ data }: Pixels, channels: ImageChannels): readonly Plane[] {
  if (channels === 'L') return [{ source: lumaOf(data), offset: 0, step: 1 }];
  return (channels === 'RGB' ? [0, 1, 2] : [2, 1, 0]).map((offset) => ({ source: data, offset, step: 3 }));
}

/** ITU-R 601-2 luma in 16-bit fixed point, as Pillow's `convert('L')`; grey stays what it is. */
function lumaOf(rgb: Uint8Array): Uint8Array {
  const luma = new Uint8Array(rgb.length / 3);
  for (let pixel = 0, from = 0; pixel < luma.length; pixel++, from += 3) {
    const sum =
      (rgb[from] as number) * 19595 + (rgb[from + 1] as number) * 38470 + (rgb[from + 2] as number) * 7471;
    luma[pixel] = (sum + 0x8000) >> 16;
  }
  return luma;
}

/** The value of each of the 256 bytes, rounded and clipped for integer types. */
function valuesOf({ scale = 1, mean, std, dtype }: ImagePreprocessing, channel: number): Float64Array {
  const middle = mean?.[channel] ?? 0;
  const spread = std?.[channel] ?? 1;
  const range = INTEGERS[dtype];
  return Float64Array.from({ length: 256 }, (_, byte) => {
    const value = (byte * scale - middle) / spread;
    return range ? Math.min(Math.max(Math.round(value), range[0]), range[1]) : value;
  });
}
