import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithChromium,
  launchChromium,
  repoRoot,
  seededRandom,
  serveStatic,
  type StaticServer,
} from '@edgewise/test-utils';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RESAMPLES, type ImagePreprocessing } from '../../src/format/index.ts';
import { prepareImage } from '../../src/node/image.ts';
import { MOBILENET_PREPROCESSING } from '../image-assets.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');
const WIDTH = 321;
const HEIGHT = 243;

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

  it('says what is wrong with what is no image', async () => {
    const messages = await page.evaluate(async (options) => {
      const sources = [
        new Blob(['text'], { type: 'image/png' }),
        new Image(),
        {},
        document.createElement('canvas'),
      ];
      (sources[3] as HTMLCanvasElement).width = 0;
      return Promise.all(
        sources.map((source) =>
          edgewise.prepareImage(source, options).then(
            () => 'done',
            (error: Error) => error.message,
          ),
        ),
      );
    }, MOBILENET_PREPROCESSING);
    expect(messages).toEqual([
      'the browser cannot decode this image (image/png)',
      'an image of 0 × 0 has no pixels',
      'this is no image: pass a Blob, ImageData, canvas, element or frame',
      'an image of 0 × 150 has no pixels',
    ]);
  });
});
