import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithChromium,
  expectTensorClose,
  launchChromium,
  repoRoot,
  seededRandom,
  serveStatic,
  type StaticServer,
} from '@edgewise/test-utils';
import type { Browser, Page } from 'playwright-core';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RESAMPLES, type ImagePreprocessing } from '../../src/format/index.ts';
import { prepareImage } from '../../src/node/image.ts';
import { MOBILENET_PREPROCESSING } from '../image-assets.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');
const WIDTH = 321;
const HEIGHT = 243;

const SMALL: ImagePreprocessing = {
  ...MOBILENET_PREPROCESSING,
  width: 32,
  height: 24,
  fit: { mode: 'stretch' },
};

const PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">
  import { prepareImage } from '/runtime/image.js';
  globalThis.edgewise = { prepareImage };
</script>`;

declare const edgewise: {
  readonly prepareImage: (
    image: unknown,
    preprocessing: ImagePreprocessing,
  ) => ReturnType<typeof prepareImage>;
};

const hashOf = (data: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

describeWithChromium('image input in Chromium', () => {
  const random = seededRandom(11);
  const rgb = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, () => random() * 256);
  const raw = { data: rgb, width: WIDTH, height: HEIGHT, channels: 3 } as const;
  let root: string;
  let browser: Browser;
  let server: StaticServer;
  let page: Page;
  let png: string;
  beforeAll(async () => {
    if (!existsSync(join(bundles, 'image.js')))
      throw new Error('no dist/web/image.js: run npm run build first');
    png = (
      await sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
        .png()
        .toBuffer()
    ).toString('base64');
    browser = await launchChromium();
    root = await mkdtemp(join(tmpdir(), 'edgewise-'));
    await writeFile(join(root, 'index.html'), PAGE);
    server = await serveStatic({ root: { '/': root, '/runtime': bundles } });
    page = await browser.newPage();
    await page.goto(server.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(root, { recursive: true });
  });

  it.each(RESAMPLES)('%s gives the bits of Node from every kind of source', async (resample) => {
    const preprocessing = { ...MOBILENET_PREPROCESSING, resample };
    const expected = hashOf((await prepareImage(raw, preprocessing)).input.data);
    const hashes = await page.evaluate(
      async ({ source, options }) => {
        const blob = await (await fetch(`data:image/png;base64,${source}`)).blob();
        const bitmap = await createImageBitmap(blob);
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        const context = canvas.getContext('2d')!;
        context.drawImage(bitmap, 0, 0);
        const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
        const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
        offscreen.getContext('2d')!.drawImage(bitmap, 0, 0);
        const element = new Image();
        element.src = URL.createObjectURL(blob);
        await element.decode();
        const frame = new VideoFrame(bitmap, { timestamp: 0 });
        const { data, width, height } = pixels;
        const rawPixels = { data, width, height, channels: 4 };
        const sources = { blob, bitmap, canvas, pixels, offscreen, element, frame, rawPixels };
        const found: Record<string, string> = {};
        for (const [name, image] of Object.entries(sources)) {
          const { input } = await edgewise.prepareImage(image, options);
          const bytes = new Uint8Array(input.data.buffer as ArrayBuffer);
          const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
          found[name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
        }
        frame.close();
        return found;
      },
      { source: png, options: preprocessing },
    );
    expect(Object.keys(hashes)).toHaveLength(8);
    expect(Object.fromEntries(Object.entries(hashes).filter(([, hash]) => hash !== expected))).toEqual({});
  });

  const picture = {
    width: 31,
    height: 17,
    channels: 3,
    data: Uint8Array.from({ length: 31 * 17 * 3 }, (_, i) => 40 + ((i * 7) % 31) + (i % 3) * 60),
  } as const;
  const encoder = (): Sharp => sharp(picture.data, { raw: picture });
  const animation = (): Sharp =>
    sharp(Buffer.concat([picture.data, picture.data.map((value) => 255 - value)]), {
      raw: { ...picture, height: 34, pageHeight: 17 },
    });
  const deep = Uint16Array.from(picture.data, (value, i) => 256 * value + ((i * 91) % 256));
  const orientations = [1, 2, 3, 4, 5, 6, 7, 8].map(
    (orientation) =>
      [`orientation ${orientation}`, () => encoder().jpeg().withMetadata({ orientation }), 1] as const,
  );

  it.each<readonly [string, () => Sharp, number]>([
    ['grey', () => encoder().toColourspace('b-w').png(), 0],
    ['16 bits', () => sharp(deep, { raw: picture }).toColourspace('rgb16').png(), 1],
    // The canvas multiplies colours by alpha before our code does.
    ['alpha', () => encoder().ensureAlpha(0.4).png(), 1],
    ['palette', () => encoder().threshold(100, { greyscale: false }).png({ palette: true }), 0],
    ['animated GIF', () => animation().threshold(100, { greyscale: false }).gif(), 0],
    ['animated WebP', () => animation().webp({ lossless: true }), 0],
    ['a pixel', () => encoder().resize(1, 1).png(), 0],
    ['a line', () => encoder().resize(1, 2000, { fit: 'fill' }).png(), 0],
    ...orientations,
  ])('a file of %s is what it is in Node', async (_name, encode, tolerance) => {
    const bytes = await encode().toBuffer();
    const { data, info } = await sharp(bytes)
      .autoOrient()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const decoded = { data, width, height, channels: info.channels as 3 | 4 };
    const options = { ...SMALL, mean: [0, 0, 0], std: [1, 1, 1] };
    const expected = (await prepareImage(decoded, options)).input.data;
    const actual = await page.evaluate(
      async ({ source, preprocessing }) => {
        const blob = await (await fetch(`data:;base64,${source}`)).blob();
        return Array.from((await edgewise.prepareImage(blob, preprocessing)).input.data);
      },
      { source: bytes.toString('base64'), preprocessing: options },
    );
    // Lanczos may swing around what decoders round another way.
    expectTensorClose(actual, expected, { abs: 2 * tolerance });
  });

  it('ImageData of odd sizes', async () => {
    for (const [width, height] of [
      [1, 1],
      [3, 1],
      [1, 7],
      [13, 257],
    ] as const) {
      const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : i * 29));
      const expected = (await prepareImage({ data, width, height, channels: 4 }, SMALL)).input;
      const actual = await page.evaluate(
        async ({ bytes, size, options }) => {
          const image = new ImageData(Uint8ClampedArray.from(bytes), size);
          return Array.from((await edgewise.prepareImage(image, options)).input.data);
        },
        { bytes: Array.from(data), size: width, options: SMALL },
      );
      expectTensorClose(actual, expected.data);
    }
  });

  it('says what is wrong with what is no image', async () => {
    await using elsewhere = await serveStatic({ root });
    await encoder().png().toFile(join(root, 'picture.png'));
    const messages = await page.evaluate(
      async ({ foreign, cut, options }) => {
        const bitmap = await createImageBitmap(new ImageData(2, 2));
        const frame = new VideoFrame(bitmap, { timestamp: 0 });
        frame.close();
        bitmap.close();
        const broken = new Image();
        broken.src = 'data:image/png;base64,AAAA';
        await broken.decode().catch(() => {});
        const theirs = new Image();
        theirs.src = `${foreign}?again`;
        await theirs.decode();
        const tainted = document.createElement('canvas');
        tainted.getContext('2d')!.drawImage(theirs, 0, 0);
        const flat = document.createElement('canvas');
        flat.height = 0;
        const detached = new ImageData(2, 2);
        structuredClone(detached.data.buffer, { transfer: [detached.data.buffer] });
        const truncated = await (await fetch(`data:image/jpeg;base64,${cut}`)).blob();
        const loading = new Image();
        loading.src = foreign;
        const sources = {
          loading,
          text: new Blob(['text'], { type: 'image/png' }),
          nothing: new Blob([]),
          truncated,
          unset: new Image(),
          broken,
          theirs,
          tainted,
          flat,
          offscreen: new OffscreenCanvas(0, 0),
          video: document.createElement('video'),
          bitmap,
          frame,
          detached,
          wide: new ImageData(2, 2, { colorSpace: 'display-p3' }),
          object: {},
          address: 'photo.jpg',
          none: null,
        };
        const found: Record<string, string> = {};
        for (const [name, source] of Object.entries(sources))
          found[name] = await edgewise.prepareImage(source, options).then(
            () => 'done',
            (error: Error) => `${error.name}: ${error.message}`,
          );
        return found;
      },
      {
        foreign: `${elsewhere.origin}/picture.png`,
        cut: (await encoder().resize(200, 200).jpeg().toBuffer()).subarray(0, 1500).toString('base64'),
        options: MOBILENET_PREPROCESSING,
      },
    );
    const noPixels = (size: string): string =>
      `RuntimeError: an image of ${size} has no pixels: it is empty, closed or not loaded yet`;
    const noImage = 'RuntimeError: this is no image: pass a Blob, ImageData, canvas, element or frame';
    const notOurs =
      "RuntimeError: the browser does not show this image's pixels; those of another site need crossOrigin and its consent";
    expect(messages).toEqual({
      text: 'RuntimeError: the browser cannot decode this image (image/png)',
      nothing: 'RuntimeError: the browser cannot decode this image (no type)',
      truncated: 'RuntimeError: the browser cannot decode this image (image/jpeg)',
      unset: noPixels('0 × 0'),
      broken: noPixels('0 × 0'),
      loading: noPixels('0 × 0'),
      theirs: notOurs,
      tainted: notOurs,
      flat: noPixels('300 × 0'),
      offscreen: noPixels('0 × 0'),
      video: noPixels('0 × 0'),
      bitmap: noPixels('0 × 0'),
      frame: noPixels('0 × 0'),
      detached: 'RuntimeError: an image of 2 × 2 with 4 channels has 16 bytes, not 0',
      wide: 'RuntimeError: ImageData has 8 bits a channel here, not floats, and sRGB colours',
      object: noImage,
      address: noImage,
      none: noImage,
    });
  });
});
