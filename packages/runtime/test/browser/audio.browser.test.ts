import { existsSync } from 'node:fs';
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
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { AudioInput } from '../../src/format/index.ts';
import { prepareAudio } from '../../src/node/audio.ts';
import { KEYWORD_FEATURES } from '../audio-assets.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');

const PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">
  import { prepareAudio } from '/runtime/audio.js';
  globalThis.edgewise = { prepareAudio };
</script>`;

declare const edgewise: {
  readonly prepareAudio: (audio: unknown, input: AudioInput) => { data: Float32Array };
};

describeWithChromium('sound in Chromium', () => {
  const input: AudioInput = { sampleRate: 16_000, samples: 16_000, gain: 'max', features: KEYWORD_FEATURES };
  const channels = [1, 2].map((seed) => Array.from(seededRandom(seed).uniform(48_000, -1, 1)));
  let root: string;
  let browser: Browser;
  let server: StaticServer;
  let page: Page;
  beforeAll(async () => {
    if (!existsSync(join(bundles, 'audio.js')))
      throw new Error('no dist/web/audio.js: run npm run build first');
    root = await mkdtemp(join(tmpdir(), 'edgewise-'));
    await writeFile(join(root, 'index.html'), PAGE);
    browser = await launchChromium();
    server = await serveStatic({ root: { '/': root, '/runtime': bundles } });
    page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction(() => 'edgewise' in globalThis);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(root, { recursive: true, force: true });
  });

  it('an AudioBuffer gives what its samples give in Node', async () => {
    const actual = await page.evaluate(
      ([sounds, audio]) => {
        const length = sounds[0]?.length ?? 0;
        const buffer = new AudioBuffer({ numberOfChannels: 2, length, sampleRate: 48_000 });
        sounds.forEach((sound, index) => buffer.copyToChannel(Float32Array.from(sound), index));
        return Array.from(edgewise.prepareAudio(buffer, audio).data);
      },
      [channels, input] as const,
    );
    const samples = channels.map((channel) => Float32Array.from(channel));
    const expected = prepareAudio({ samples, sampleRate: 48_000 }, input).data;
    expect(actual).toHaveLength(490);
    // Browsers have their own sine and logarithm; sums of 512 numbers in float64 hide the rest.
    actual.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-5));
  });
});
