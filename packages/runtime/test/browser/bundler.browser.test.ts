import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWithChromium, launchChromium, repoRoot, serveStatic } from '@edgewise/test-utils';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionInfo } from '../../src/index.ts';
import { tinyPackage, tinyReference } from '../tiny-package.ts';

const HTML = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module" src="./main.js"></script>`;
/** As a user of a bundler writes it. */
const MAIN = `
import { createSession } from '@edgewise/runtime';
import { load } from '@edgewise/runtime/text-classification';
globalThis.edgewise = { createSession, load };
`;
declare global {
  // What the page's script puts there.
  var edgewise: {
    createSession: (
      url: string,
      options: object,
    ) => Promise<{
      info: SessionInfo;
      run: (feeds: object) => Promise<Record<string, { data: ArrayLike<number> }>>;
      dispose: () => void;
    }>;
    load: (url: string) => Promise<(text: string) => Promise<unknown[]>>;
  };
}

describeWithChromium('an app bundled with Vite', () => {
  let root: string;
  beforeAll(async () => {
    if (!existsSync(join(repoRoot, 'packages/runtime/dist/web/worker.js'))) {
      throw new Error('no dist/web: run npm run build first');
    }
    // Inside the repository, so that the bundler finds the packages as it does in an app.
    await mkdir(join(repoRoot, '.cache'), { recursive: true });
    root = await mkdtemp(join(repoRoot, '.cache', 'bundler-'));
    await writeFile(join(root, 'index.html'), HTML);
    await writeFile(join(root, 'main.js'), MAIN);
    await mkdir(join(root, 'public/tiny'), { recursive: true });
    for (const [name, bytes] of tinyPackage().files) await writeFile(join(root, 'public/tiny', name), bytes);
    await build({ root, configFile: false, logLevel: 'error' });
  });
  afterAll(() => rm(root, { recursive: true }));

  it('runs in its worker, on threads, with the tokenizer', async () => {
    await using server = await serveStatic({ root: join(root, 'dist'), isolated: true });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(server.origin);
      const { info, logits, scores } = await page.evaluate(async () => {
        const session = await globalThis.edgewise.createSession('/tiny', { threads: 2 });
        const outputs = await session.run({ input_ids: [1, 2, 3] });
        session.dispose();
        const classify = await globalThis.edgewise.load('/tiny');
        const count = (await classify('great film')).length;
        return { info: session.info, logits: Array.from(outputs['logits']?.data ?? []), scores: count };
      });
      expect(info).toMatchObject({ worker: true, threads: 2 });
      expect(logits).toEqual(tinyReference([1, 2, 3]).logits);
      expect(scores).toBe(3);
    } finally {
      await browser.close();
    }
  });
});
