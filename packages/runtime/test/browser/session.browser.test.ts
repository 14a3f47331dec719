import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithChromium,
  launchChromium,
  repoRoot,
  serveStatic,
  type StaticServer,
} from '@edgewise/test-utils';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreateSession, SessionInfo } from '../../src/index.ts';
import type { LoadTextClassifier } from '../../src/text-classification/index.ts';
import { tinyPackage, tinyReference, VOCABULARY } from '../tiny-package.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');
const ids = Array.from({ length: 23 }, (_, i) => (i * 37 + 5) % VOCABULARY);

/** The bundles as plain files, without a bundler; what they export is reached as `edgewise`. */
const PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">
  import { createSession } from '/runtime/index.js';
  import { load } from '/runtime/text-classification.js';
  globalThis.edgewise = { createSession, load };
</script>`;

declare const edgewise: {
  readonly createSession: CreateSession;
  readonly load: LoadTextClassifier;
};

describeWithChromium('sessions in Chromium', () => {
  let root: string;
  let browser: Browser;
  beforeAll(async () => {
    if (!existsSync(join(bundles, 'worker.js'))) throw new Error('no dist/web: run npm run build first');
    root = await mkdtemp(join(tmpdir(), 'edgewise-'));
    await writeFile(join(root, 'index.html'), PAGE);
    const packages = {
      tiny: tinyPackage(),
      large: tinyPackage({ macsPerToken: 20e6 }),
      traps: tinyPackage({ traps: true }),
      heavy: tinyPackage({ ballastBytes: 6 << 20 }),
    };
    for (const [name, { files }] of Object.entries(packages)) {
      await mkdir(join(root, name));
      for (const [file, bytes] of files) await writeFile(join(root, name, file), bytes);
    }
    const { manifest, files } = tinyPackage();
    const model = { kind: 'onnx', file: 'model.weights' };
    await mkdir(join(root, 'onnx'));
    await writeFile(join(root, 'onnx/edgewise.json'), JSON.stringify({ ...manifest, model }));
    await writeFile(join(root, 'onnx/model.weights'), files.get('model.weights') ?? '');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(root, { recursive: true });
  });

  describe.each([{ isolated: false }, { isolated: true }])(
    'cross-origin isolated: $isolated',
    ({ isolated }) => {
      let server: StaticServer;
      let page: Page;
      beforeAll(async () => {
        server = await serveStatic({ root: { '/': root, '/runtime': bundles }, isolated });
        page = await browser.newPage();
        await page.goto(server.origin);
      });
      afterAll(async () => {
        await page?.close();
        await server?.close();
      });

      const runModel = async (
        name: string,
        options: object,
      ): Promise<{ info: SessionInfo; logits: number[][] }> =>
        page.evaluate(
          async (given) => {
            const session = await edgewise.createSession(given.url, given.options);
            const lengths = [1, 2, 23, 7];
            const outputs = await Promise.all(
              lengths.map((length) => session.run({ input_ids: given.ids.slice(0, length) })),
            );
            session.dispose();
            return {
              info: session.info,
              logits: outputs.map(({ logits }) => Array.from(logits?.data ?? [])),
            };
          },
          { url: name, options, ids },
        );
      const expected = [1, 2, 23, 7].map((length) => tinyReference(ids.slice(0, length)).logits);

      it('runs in a worker by default', async () => {
        expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(isolated);
        const { info, logits } = await runModel('/tiny', {});
        expect(logits).toEqual(expected);
        expect(info).toMatchObject({ worker: true, rung: 'relaxed', threads: 1 });
      });

      it('runs on the page when told to, on one thread', async () => {
        const { info, logits } = await runModel('large', { worker: false, threads: 2 });
        expect(logits).toEqual(expected);
        expect(info).toMatchObject({ worker: false, threads: 1 });
      });

      it('uses threads where memory can be shared', async () => {
        for (const options of [{}, { threads: 2 }]) {
          const { info, logits } = await runModel('large', options);
          expect(logits).toEqual(expected);
          expect(info.threads).toBe(isolated ? 2 : 1);
        }
      });

      it('gives the same numbers on the simd rung', async () => {
        const { info, logits } = await runModel('tiny', { rung: 'simd', verify: true });
        expect(logits).toEqual(expected);
        expect(info).toMatchObject({ rung: 'simd', mode: 'i16' });
      });

      it('brings errors from the worker to the page', async () => {
        await expect(runModel('nothing', {})).rejects.toThrow(
          /cannot load edgewise.json from .*HTTP status 404/,
        );
        await expect(runModel('traps', {})).rejects.toThrow(/the program failed: unreachable/);
        await expect(runModel('tiny', { threads: 0 })).rejects.toThrow(
          /threads must be "auto" or a whole number/,
        );
      });

      it('loads, or says why not, when the manifest comes long after the worker has started or failed', async () => {
        const slow = '**/heavy/edgewise.json';
        await page.route(slow, (route) => setTimeout(() => void route.continue(), 500));
        expect((await runModel('heavy', {})).logits).toEqual(expected);
        await page.route('**/worker.js', (route) => route.fulfill({ status: 404 }));
        await expect(runModel('heavy', {})).rejects.toThrow('the worker failed: its script did not load');
        await page.unrouteAll();
      });

      it('says what to do when onnxruntime is needed', async () => {
        await expect(runModel('onnx', {})).rejects.toThrow(/npm install onnxruntime-web and pass the module/);
      });

      it('aborts loading, queues calls and rejects what dispose leaves unfinished', async () => {
        const result = await page.evaluate(async (): Promise<unknown> => {
          const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
            work.then(
              () => 'done',
              (error: Error & { code?: string }) => error.code ?? error.message,
            );
          const controller = new AbortController();
          const aborted = reasonOf(edgewise.createSession('tiny', { signal: controller.signal }));
          setTimeout(() => controller.abort(new Error('enough')), 1);
          const session = await edgewise.createSession('tiny');
          const wrong = await reasonOf(session.run({ input_ids: [-1] }));
          const runs = Array.from({ length: 5 }, () => reasonOf(session.run({ input_ids: [1] })));
          session.dispose();
          return [
            await aborted,
            wrong,
            ...(await Promise.all(runs)),
            await reasonOf(session.run({ input_ids: [1] })),
          ];
        });
        expect(result).toEqual(['enough', 'bad-input', ...Array<string>(6).fill('disposed')]);
      });

      it('classifies with plain files and asks for nothing but its own', async () => {
        const before = server.requests.length;
        const fresh = await browser.newPage();
        await fresh.goto(`${server.origin}/index.html`);
        const scores = await fresh.evaluate(async () => {
          const classify = await edgewise.load('/tiny');
          const one = await classify('great film');
          const many = await classify(['great film', { text: 'great', pair: 'film' }], { topK: 1 });
          classify.dispose();
          return { one, many };
        });
        await fresh.close();
        expect(scores.one).toHaveLength(3);
        expect(scores.one.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 9);
        expect(scores.many.map((list) => list.length)).toEqual([1, 1]);
        expect(scores.many[0]).toEqual(scores.one.slice(0, 1));
        const asked = new Set(server.requests.slice(before));
        expect([...asked].filter((url) => url.startsWith('/tiny/')).sort()).toEqual(
          ['edgewise.json', 'model.relaxed.wasm', 'model.weights', 'tokenizer.json'].map(
            (name) => `/tiny/${name}`,
          ),
        );
        expect([...asked].filter((url) => !/^\/(tiny|runtime)\/|^\/index\.html$/.test(url))).toEqual([]);
      });
    },
  );
});
