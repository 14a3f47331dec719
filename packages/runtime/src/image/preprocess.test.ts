import { describe, expect, it } from 'vitest';
import type { ImageFit, ImagePreprocessing } from '../format/index.ts';
import { placeImage } from './fit.ts';
import { toPixels, type RawImage } from './pixels.ts';
import { preprocess } from './preprocess.ts';

const BASE: ImagePreprocessing = {
  width: 2,
  height: 2,
  fit: { mode: 'stretch' },
  resample: 'bilinear',
  channels: 'RGB',
  layout: 'NHWC',
  dtype: 'float32',
};
const raw = (channels: 1 | 2 | 3 | 4, ...data: number[]): RawImage => ({
  data: Uint8Array.from(data),
  width: data.length / channels,
  height: 1,
  channels,
});

describe('toPixels', () => {
  it('repeats grey and composites alpha on the background', () => {
    expect([...toPixels(raw(1, 7, 9)).data]).toEqual([7, 7, 7, 9, 9, 9]);
    expect([...toPixels(raw(2, 100, 0, 100, 255), [10, 20, 30]).data]).toEqual([10, 20, 30, 100, 100, 100]);
    expect([...toPixels(raw(4, 255, 100, 0, 128), [0, 0, 255]).data]).toEqual([128, 50, 127]);
    const opaque = raw(3, 1, 2, 3);
    expect(toPixels(opaque).data).toBe(opaque.data);
  });

  it.each<[Partial<RawImage>, string]>([
    [{ width: 0 }, 'an image of 0 × 1 has no pixels'],
    [{ height: -1 }, 'an image of 1 × -1 has no pixels'],
    [{ width: 1.5 }, 'an image of 1.5 × 1 has no pixels'],
    [{ width: NaN }, 'an image of NaN × 1 has no pixels'],
    [{ width: 20_000, height: 20_000 }, 'an image of 20000 × 20000 is too large'],
    [{ width: 2 }, 'an image of 2 × 1 with 3 channels has 6 bytes, not 3'],
    [{ channels: 5 as 4 }, 'an image has 1 to 4 channels, not 5'],
    [{ data: [1, 2, 3] as unknown as Uint8Array }, 'the data of an image is a Uint8Array'],
  ])('refuses %j', (change, message) => {
    expect(() => toPixels({ ...raw(3, 1, 2, 3), ...change })).toThrow(message);
  });
});

describe('placeImage', () => {
  const place = (width: number, height: number, fit: ImageFit): number[] => {
    const size = { ...BASE, width: 224, height: 224, fit };
    const { resizedWidth, resizedHeight, left, top } = placeImage(width, height, size);
    return [resizedWidth, resizedHeight, left, top];
  };

  it('crops the middle after resizing the shorter side', () => {
    const crop = { mode: 'crop', shorterSide: 256 } as const;
    expect(place(640, 480, crop)).toEqual([341, 256, 58, 16]);
    expect(place(480, 641, crop)).toEqual([256, 341, 16, 58]);
    expect(place(1, 1, crop)).toEqual([256, 256, 16, 16]);
    expect(() => place(1, 2 ** 27, crop)).toThrow('an image of 1 × 134217728 is too long and thin');
  });

  it('letterboxes as YOLOX and as Ultralytics do', () => {
    const yolox = { mode: 'letterbox', align: 'top-left', padding: 114, rounding: 'floor' } as const;
    expect(place(640, 427, yolox)).toEqual([224, 149, 0, 0]);
    const ultralytics = { ...yolox, align: 'center', rounding: 'round' } as const;
    expect(place(640, 428, ultralytics)).toEqual([224, 150, 0, -37]);
    expect(place(640, 427, ultralytics)).toEqual([224, 149, 0, -37]);
    expect(place(5000, 1, yolox)).toEqual([224, 1, 0, 0]);
  });
});

describe('preprocess', () => {
  const image: RawImage = { ...raw(3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), width: 2, height: 2 };
  const valuesOf = (changes: Partial<ImagePreprocessing>, source = image): number[] =>
    Array.from(preprocess(source, { ...BASE, ...changes }).input.data);

  it('orders channels and lays them out', () => {
    expect(valuesOf({})).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(valuesOf({ layout: 'NCHW' })).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    expect(valuesOf({ channels: 'BGR' }).slice(0, 3)).toEqual([3, 2, 1]);
    expect(valuesOf({ channels: 'L' })).toEqual([2, 5, 8, 11]);
    expect(preprocess(image, { ...BASE, layout: 'NCHW', channels: 'L' }).input.shape).toEqual([1, 1, 2, 2]);
  });

  it('scales, subtracts and divides by channel, and rounds and clips integers', () => {
    const grid = { scale: 2, mean: [1, 2, 3], std: [1, 2, 4] };
    expect(valuesOf(grid).slice(0, 3)).toEqual([1, 1, 0.75]);
    expect(valuesOf({ ...grid, dtype: 'int8' }).slice(0, 3)).toEqual([1, 1, 1]);
    expect(valuesOf({ dtype: 'int8', mean: [0, 200, 0] }).slice(0, 3)).toEqual([1, -128, 3]);
    expect(valuesOf({ dtype: 'uint8', scale: 30 }).slice(8, 12)).toEqual([255, 255, 255, 255]);
  });

  it('pads where the letterbox is larger, and takes another filter for enlarging', () => {
    const fit = { mode: 'letterbox', align: 'center', padding: 9, rounding: 'floor' } as const;
    const wide: RawImage = { ...image, width: 4, height: 1 };
    const padded = valuesOf({ fit, width: 4, height: 4, channels: 'L' }, wide);
    expect(padded).toEqual([9, 9, 9, 9, 2, 5, 8, 11, 9, 9, 9, 9, 9, 9, 9, 9]);
    const nearest = valuesOf({ width: 4, height: 4, resampleEnlarging: 'nearest', channels: 'L' });
    expect(nearest).toEqual([2, 2, 5, 5, 2, 2, 5, 5, 8, 8, 11, 11, 8, 8, 11, 11]);
  });
});
