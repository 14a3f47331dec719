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
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { buildPackage, compileEdge, parseModel } from '../../../compiler/src/index.ts';
import type { AudioInput } from '../../src/format/index.ts';
import type { SessionOptions } from '../../src/index.ts';
import { prepareAudio } from '../../src/node/audio.ts';
import { load, type VoiceActivityDetector } from '../../src/node/voice-activity-detection.ts';
import { KEYWORD_FEATURES } from '../audio-assets.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');

const PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">
  import { prepareAudio } from '/runtime/audio.js';
  import { load } from '/runtime/voice-activity-detection.js';
  globalThis.edgewise = { prepareAudio, load };
</script>`;

declare const edgewise: {
  readonly prepareAudio: (audio: unknown, input: AudioInput) => { data: Float32Array };
  readonly load: (source: string, options?: SessionOptions) => Promise<VoiceActivityDetector<unknown>>;
};

/** A network with a memory, of random weights. */
const NETWORK = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input sound: float32[1,1,40]
  input h: float32[1,1,16]
  input c: float32[1,1,16]
  constant w: float32[1,64,40] random(1)
  constant r: float32[1,64,16] random(2)
  constant v: float32[16,1] random(3)
  constant shape: int64[2] {1, 16}
  y, hn, cn = LSTM(sound, w, r, _, _, h, c) hidden_size=16
  flat = Reshape(hn, shape)
  p = edgewise.Linear(flat, v) activation="sigmoid"
  output p: float32[1,1]
  output hn: float32[1,1,16]
  output cn: float32[1,1,16]
}
`;

function voicePackage(): Promise<Map<string, Uint8Array>> {
  const { model, files } = compileEdge(parseModel(NETWORK));
  const states = [
    { input: 'h', output: 'hn' },
    { input: 'c', output: 'cn' },
  ];
  const description = {
    name: 'voice',
    task: 'voice-activity-detection',
    audio: { sampleRate: 8000, samples: 32 },
    streaming: { context: 8, states },
  };
  return buildPackage({ description, model, files });
}

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

  it('says what is wrong with what is no sound', async () => {
    const messages = await page.evaluate((audio) => {
      const buffer = (...values: number[]): AudioBuffer => {
        const made = new AudioBuffer({ numberOfChannels: 2, length: values.length, sampleRate: 48_000 });
        made.copyToChannel(Float32Array.from(values), 1);
        return made;
      };
      const empty = { samples: new Float32Array(), sampleRate: 48_000 };
      const sources = [buffer(0, NaN), buffer(0, 0, Infinity), empty, new Float32Array(4), 'clip.wav', null];
      return sources.map((source) => {
        try {
          return edgewise.prepareAudio(source, audio).data.length;
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}`;
        }
      });
    }, input);
    const noSound = 'RuntimeError: this is no sound: pass an AudioBuffer, or samples and their sampleRate';
    expect(messages).toEqual([
      'RuntimeError: sample 1 is NaN',
      'RuntimeError: sample 2 is Infinity',
      'RuntimeError: the clip has no samples',
      'RuntimeError: sampleRate is a whole number of samples per second from 1 to 768000, not undefined',
      noSound,
      noSound,
    ]);
  });

  it('a stream through the worker gives what Node gives', async () => {
    const files = await voicePackage();
    await mkdir(join(root, 'voice'));
    for (const [name, bytes] of files) await writeFile(join(root, 'voice', name), bytes);
    const sound = Array.from(seededRandom(5).uniform(9000, -1, 1));
    const actual = await page.evaluate(async (samples) => {
      const detect = await edgewise.load('/voice');
      const stream = detect.stream({ sampleRate: 44_100 });
      const pieces: number[] = [];
      for (let at = 0; at < samples.length; at += 1024)
        pieces.push(...(await stream.push(Float32Array.from(samples.slice(at, at + 1024)))));
      const { worker } = detect.info;
      detect.dispose();
      return { pieces, worker };
    }, sound);
    const detect = await load(files, { threads: 1 });
    const expected = await detect.stream({ sampleRate: 44_100 }).push(Float32Array.from(sound));
    detect.dispose();
    expect(actual.worker).toBe(true);
    expect(expected.length).toBeGreaterThan(40);
    expect(new Set(expected).size).toBe(expected.length);
    // Resampling takes the sine of the browser; what it may change is far below the last bit of a sum.
    expect(actual.pieces).toHaveLength(expected.length);
    actual.pieces.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-6));
  });
});
