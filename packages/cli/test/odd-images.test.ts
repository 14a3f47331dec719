import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImagePreprocessing } from '@edgewise/runtime/format';
import { prepareImage } from '@edgewise/runtime/image';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotateImage } from '../src/media/annotate-image.ts';
import { decodeImage } from '../src/media/decode-image.ts';
import { imagesToTry } from '../src/optimize/subjects/images-to-try.ts';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { COLORS, writeColorModel } from './color-model.ts';
import {
  animated,
  deepened,
  paint,
  toSharp,
  truncate,
  upright,
  writeClaimedPng,
  type Picture,
} from './odd-images.ts';
import { runCli, type CliResult } from './run-cli.ts';

let folder = '';
const inFolder = (...names: readonly string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-odd-images-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PREPROCESSING: ImagePreprocessing = {
  width: 16,
  height: 16,
  fit: { mode: 'stretch' },
  resample: 'bilinear',
  channels: 'RGB',
  layout: 'NCHW',
  dtype: 'float32',
};

const random = seededRandom(21);
const noise = paint(37, 23, () => [random.int(0, 255), random.int(0, 255), random.int(0, 255)]);
const grey = paint(37, 23, () => [random.int(0, 255)]);
const greyAlpha = paint(37, 23, () => [random.int(0, 255), random.int(0, 255)]);
const transparent = paint(37, 23, () => [...noise.data.subarray(0, 3), random.int(0, 255)]);
const fewColors = paint(
  37,
  23,
  (x, y) =>
    [
      [200, 10, 20],
      [0, 255, 90],
      [3, 4, 250],
    ][(x + 2 * y) % 3]!,
);
const fewTransparent = paint(37, 23, (x, y) => [200, 10 * (x % 5), 20, y % 2 === 0 ? 255 : 0]);
const blackAndWhite = paint(37, 23, (x, y) => [(x * y) % 3 === 0 ? 255 : 0]);
const smooth = paint(37, 23, (x, y) => [60 + 3 * x, 70 + 4 * y, 150 - 2 * x]);

/** What the model is fed for a file. */
async function fed(file: Picture | string, changes: Partial<ImagePreprocessing> = {}) {
  const image = typeof file === 'string' ? await decodeImage(file) : file;
  return (await prepareImage(image, { ...PREPROCESSING, ...changes })).input.data;
}

describe('odd pictures are decoded to what their plain form is', () => {
  it.each<[string, Picture, (picture: Picture) => Sharp]>([
    ['rgb.png', noise, (picture) => toSharp(picture).png()],
    ['interlaced.png', noise, (picture) => toSharp(picture).png({ progressive: true })],
    ['grey.png', grey, (picture) => toSharp(picture).toColourspace('b-w').png()],
    ['grey-alpha.png', greyAlpha, (picture) => toSharp(picture).toColourspace('b-w').png()],
    ['alpha.png', transparent, (picture) => toSharp(picture).png()],
    ['alpha.webp', transparent, (picture) => toSharp(picture).webp({ lossless: true, exact: true })],
    ['16-bit.png', noise, (picture) => deepened(picture).png()],
    ['16-bit-grey.png', grey, (picture) => deepened(picture).png()],
    ['16-bit-alpha.png', transparent, (picture) => deepened(picture).png()],
    ['16-bit.tiff', noise, (picture) => deepened(picture).tiff({ compression: 'deflate' })],
    ['palette.png', fewColors, (picture) => toSharp(picture).png({ palette: true })],
    ['palette-alpha.png', fewTransparent, (picture) => toSharp(picture).png({ palette: true })],
    ['1-bit.png', blackAndWhite, (picture) => toSharp(picture).png({ palette: true, colours: 2 })],
    ['still.gif', fewColors, (picture) => toSharp(picture).gif()],
    [
      'animated.gif',
      fewColors,
      (picture) => animated([picture, { ...picture, data: picture.data.map((v) => 255 - v) }]).gif(),
    ],
    [
      'animated.webp',
      noise,
      (picture) =>
        animated([picture, { ...picture, data: picture.data.map((v) => 255 - v) }]).webp({ lossless: true }),
    ],
  ])('%s', async (name, picture, encode) => {
    await encode(picture).toFile(inFolder(name));
    const { width, height } = await decodeImage(inFolder(name));
    expect([width, height]).toEqual([picture.width, picture.height]);
    expectTensorClose(await fed(inFolder(name)), await fed(picture), { label: name, seed: random.seed });
  });

  it('CMYK, by the colour profile', async () => {
    await toSharp(smooth)
      .toColourspace('cmyk')
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toFile(inFolder('cmyk.jpg'));
    expect((await sharp(inFolder('cmyk.jpg')).metadata()).space).toBe('cmyk');
    // Ink has fewer colours than light; swapped channels or inverted inks would be off by a hundred.
    expectTensorClose(await fed(inFolder('cmyk.jpg')), await fed(smooth), { abs: 16 });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('a JPEG with EXIF orientation %i', async (orientation) => {
    const stored = toSharp(smooth).jpeg();
    await stored.clone().toFile(inFolder('stored.jpg'));
    await stored.clone().withMetadata({ orientation }).toFile(inFolder('tagged.jpg'));
    const { data } = await sharp(inFolder('stored.jpg')).raw().toBuffer({ resolveWithObject: true });
    expectTensorClose(
      await fed(inFolder('tagged.jpg')),
      await fed(upright({ ...smooth, data }, orientation)),
    );
  });

  it.each([
    [1, 1],
    [1, 2000],
    [2000, 1],
  ])('%i × %i pixels, however they are fitted', async (width, height) => {
    await toSharp(paint(width, height, () => [200, 100, 50]))
      .png()
      .toFile(inFolder('thin.png'));
    for (const fit of [
      { mode: 'stretch' },
      { mode: 'crop', shorterSide: 20 },
      { mode: 'letterbox', align: 'center', padding: 7, rounding: 'floor' },
    ] as const) {
      const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
      const covered = fit.mode === 'letterbox' ? Math.max(1, Math.floor((16 * shorter) / longer)) : 16;
      const start = Math.floor((16 - covered) / 2);
      const expected = [200, 100, 50].flatMap((value) =>
        Array.from({ length: 256 }, (_, i) => {
          const across = width <= height ? i % 16 : Math.floor(i / 16);
          return across >= start && across < start + covered ? value : 7;
        }),
      );
      expectTensorClose(await fed(inFolder('thin.png'), { fit }), expected, { label: fit.mode });
    }
  });

  it('a hundred million pixels', async () => {
    const side = 10_000;
    await sharp({ create: { width: side, height: side, channels: 3, background: '#c86432' } })
      .png({ compressionLevel: 1 })
      .toFile(inFolder('large.png'));
    const expected = [200, 100, 50].flatMap((value) => Array.from({ length: 256 }, () => value));
    expectTensorClose(await fed(inFolder('large.png')), expected);
  });
});

describe('annotateImage', () => {
  it.each<[string, () => Sharp]>([
    ['grey.png', () => toSharp(grey).toColourspace('b-w').png()],
    ['16-bit.png', () => deepened(noise).png()],
    ['cmyk.jpg', () => toSharp(smooth).toColourspace('cmyk').jpeg()],
    ['pixel.png', () => toSharp(paint(1, 1, () => [1, 2, 3])).png()],
  ])('draws on %s', async (name, encode) => {
    await encode().toFile(inFolder(name));
    const { width, height } = await sharp(inFolder(name)).metadata();
    const box = { x: 0, y: 0, width, height };
    await annotateImage(inFolder(name), [{ label: 'a', score: 0.5, box }], ['a'], inFolder('drawn.png'));
    const drawn = await decodeImage(inFolder('drawn.png'));
    expect([drawn.width, drawn.height]).toEqual([width, height]);
    const before = await decodeImage(inFolder(name));
    expect([...drawn.data.subarray(0, 3)]).not.toEqual([...before.data.subarray(0, 3)]);
  });
});

describe('edgewise with odd pictures', () => {
  const optimize = (data: string, out: string): string[] => {
    const fixed = ['--task', 'image-classification', '--target', 'web', '--cache', inFolder('cache')];
    return ['optimize', inFolder('colors'), '--data', inFolder(data), ...fixed, '--out', inFolder(out)];
  };
  const solid = (color: number): Picture =>
    paint(24, 18, () => [0, 1, 2].map((channel) => (channel === color ? 200 : 60)));
  /** The same colours in all forms, one after the other. */
  const forms: readonly (readonly [ending: string, encode: (picture: Picture) => Promise<Uint8Array>])[] = [
    ['png', (picture) => toSharp(picture).png().toBuffer()],
    ['png', (picture) => deepened(picture).png().toBuffer()],
    ['png', (picture) => toSharp(picture).ensureAlpha(1).png().toBuffer()],
    ['png', (picture) => toSharp(picture).png({ palette: true }).toBuffer()],
    ['jpg', (picture) => toSharp(picture).toColourspace('cmyk').jpeg().toBuffer()],
    ['jpg', (picture) => toSharp(picture).jpeg().withMetadata({ orientation: 6 }).toBuffer()],
    [
      'gif',
      (picture) =>
        animated([picture, solid(0)])
          .gif()
          .toBuffer(),
    ],
    [
      'webp',
      (picture) =>
        animated([picture, solid(0)])
          .webp()
          .toBuffer(),
    ],
    ['png', (picture) => toSharp(picture).resize(1, 1).png().toBuffer()],
    ['png', (picture) => toSharp(picture).resize(1, 2000, { fit: 'fill' }).png().toBuffer()],
    // Bytes that do not belong there: decoders warn and read on.
    [
      'jpg',
      async (picture) => {
        const bytes = await toSharp(picture).jpeg().toBuffer();
        return Buffer.concat([bytes.subarray(0, 2), Buffer.from([0, 0, 0]), bytes.subarray(2)]);
      },
    ],
  ];

  let made: CliResult;
  beforeAll(async () => {
    writeColorModel(inFolder('colors'));
    for (const [color, name] of COLORS.entries()) {
      mkdirSync(inFolder('data', name), { recursive: true });
      for (const [i, [ending, encode]] of forms.entries())
        writeFileSync(inFolder('data', name, `${i}.${ending}`), await encode(solid(color)));
    }
    made = await runCli(...optimize('data', 'out'));
  }, 120_000);

  it('optimize measures on all of them and shows some on the page', () => {
    expect(made).toMatchObject({ code: 0 });
    const report = JSON.parse(readFileSync(inFolder('out', 'report.json'), 'utf8')) as OptimizeReport;
    expect(report.data.examples).toBe(COLORS.length * forms.length);
    expect(report.candidates.map(({ metric }) => metric.value)).toEqual([1]);
    expect(readdirSync(inFolder('out', 'examples'))).toHaveLength(6);
  });

  it.each(forms.map(([ending], i) => `${i}.${ending}`))('the page could show %s', async (name) => {
    const { files } = await imagesToTry([inFolder('data', 'green', name)]);
    const { channels } = await sharp(files.get('examples/1.jpg')).stats();
    const [red = 0, green = 0, blue = 0] = channels.map(({ mean }) => mean);
    expect(green - Math.max(red, blue)).toBeGreaterThan(50);
  });

  it.each<[string, string, () => Promise<Uint8Array> | Uint8Array]>([
    ['empty.jpg', 'unsupported image format', () => new Uint8Array()],
    ['text.jpg', 'unsupported image format', () => Buffer.from('This is a text.\n')],
    ['cut.jpg', 'premature end', async () => truncate(await toSharp(noise).jpeg().toBuffer())],
    ['cut.png', 'read error', async () => truncate(await toSharp(noise).png().toBuffer())],
  ])('run and optimize name %s', async (name, why, encode) => {
    mkdirSync(inFolder(name, 'red'), { recursive: true });
    const path = inFolder(name, 'red', name);
    writeFileSync(path, await encode());
    for (const args of [['run', inFolder('out'), '--image', path], optimize(name, 'none')]) {
      const { code, stderr } = await runCli(...args);
      expect(stderr).toContain(`error: ${path} cannot be read as an image: `);
      expect(stderr).toContain(why);
      expect(stderr).toContain('JPEG, PNG, WebP, GIF, AVIF and TIFF are');
      expect(code).toBe(2);
    }
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('names the file that is too large, and what to do', async () => {
    await writeClaimedPng(inFolder('huge.png'), 20_000, 20_000);
    const { code, stderr } = await runCli('run', inFolder('out'), '--image', inFolder('huge.png'));
    expect(stderr).toContain(
      `${inFolder('huge.png')} cannot be read as an image: Input image exceeds pixel limit`,
    );
    expect(stderr).toContain('At most 134217728 pixels');
    expect(code).toBe(2);
  });

  it('names the file that the preprocessing cannot take', async () => {
    const cropped = { size: { shortest_edge: 8000 }, do_center_crop: true, crop_size: 16 };
    writeColorModel(inFolder('cropping'), { 'preprocessor_config.json': cropped });
    await toSharp(paint(3000, 1, () => [1, 2, 3]))
      .png()
      .toFile(inFolder('thread.png'));
    mkdirSync(inFolder('threads', 'red'), { recursive: true });
    await toSharp(solid(0))
      .png()
      .toFile(inFolder('threads', 'red', '0.png'));
    const data = ['--data', inFolder('threads'), '--task', 'image-classification', '--target', 'node'];
    const made = await runCli('optimize', inFolder('cropping'), ...data, '--out', inFolder('cropper'));
    expect(made).toMatchObject({ code: 0 });
    const { code, stderr } = await runCli('run', inFolder('cropper'), '--image', inFolder('thread.png'));
    expect(stderr).toContain(`${inFolder('thread.png')}: an image of 3000 × 1 is too long and thin`);
    expect(code).toBe(1);
  });
});
