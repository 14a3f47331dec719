import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import type { Resample } from '../format/index.ts';
import type { Pixels } from './pixels.ts';
import { resize } from './resize.ts';

type Size = readonly [width: number, height: number];
interface Case<T> {
  readonly seed: number;
  readonly from: Size;
  readonly to: Size;
  readonly sha256: T;
  readonly data: T;
}

/** Made by oracles/image_resize.py. */
const recorded = JSON.parse(
  readFileSync(new URL('../../test/fixtures/images/resize.json', import.meta.url), 'utf8'),
) as { cases: Case<Record<Resample, string>>[]; linear: Case<Record<Resample, string>>[] };

function noise(seed: number, [width, height]: Size): Pixels {
  const random = seededRandom(seed);
  return {
    width,
    height,
    step: 3,
    data: Uint8Array.from({ length: width * height * 3 }, () => random() * 256),
  };
}

const nameOf = ({ from, to }: Case<unknown>): string => `${from.join('×')} to ${to.join('×')}`;

describe.each(recorded.cases.map((item) => ({ ...item, name: nameOf(item) })))(
  '$name',
  ({ seed, from, to, sha256 }) => {
    const image = noise(seed, from);
    it.each(Object.entries(sha256) as [Resample, string][])('%s has the bits of Pillow', (filter, hash) => {
      const { data } = resize(image, to[0], to[1], filter);
      expect(data).toHaveLength(to[0] * to[1] * 3);
      expect(createHash('sha256').update(data).digest('hex')).toBe(hash);
    });
  },
);

describe.each(recorded.linear.map((item) => ({ ...item, name: nameOf(item) })))(
  '$name',
  ({ seed, from, to, data }) => {
    // OpenCV’s vector and scalar code differ in the last bit; the other is float32 there and float64 here.
    it.each(Object.entries(data) as [Resample, string][])('%s is at most one off', (filter, base64) => {
      const actual = resize(noise(seed, from), to[0], to[1], filter).data;
      expectTensorClose(actual, Buffer.from(base64, 'base64'), { abs: 1, seed, label: filter });
    });
  },
);

it.each<Resample>(['nearest', 'box', 'bilinear', 'bicubic', 'lanczos', 'torch-bilinear', 'opencv-linear'])(
  '%s computes a window as it would cut it out of the whole',
  (filter) => {
    const random = seededRandom(3);
    for (const [width, height] of [
      [31, 9],
      [20, 15],
      [20, 40],
      [7, 15],
    ] as const) {
      const image = noise(4, [20, 15]);
      const left = random.int(0, width - 1);
      const top = random.int(0, height - 1);
      const window = { left, top, width: random.int(1, width - left), height: random.int(1, height - top) };
      const whole = resize(image, width, height, filter);
      const expected = Array.from({ length: window.height }, (_, row) => {
        const start = ((top + row) * width + left) * 3;
        return Array.from(whole.data.subarray(start, start + window.width * 3));
      });
      expect(Array.from(resize(image, width, height, filter, window).data)).toEqual(expected.flat());
    }
  },
);
