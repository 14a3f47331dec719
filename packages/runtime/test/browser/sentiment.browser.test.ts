import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithChromium, launchChromium, repoRoot, serveStatic } from '@edgewise/test-utils';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoadTextClassifier } from '../../src/text-classification/index.ts';
import { load } from '../../src/node/text-classification.ts';
import { loadTokenizer } from '../../src/node/tokenizer.ts';
import { sentimentExamples, sentimentPackage } from '../sentiment-package.ts';

const bundles = join(repoRoot, 'packages/runtime/dist/web');
const PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<script type="module">import { load } from '/runtime/text-classification.js'; globalThis.load = load;</script>`;
declare global {
  // What the page's script puts there.
  var load: LoadTextClassifier;
}

/** Code generators and the relaxed rung's modes with them; without flags it depends on the CPU. */
const GENERATORS = [
  { name: 'this CPU', args: [], modes: ['u8', 's8', 'pairs'] },
  { name: 'x86 without AVX-VNNI', args: ['--js-flags=--no-enable-avx-vnni'], modes: ['pairs', 's8'] },
  { name: 'x86 without AVX', args: ['--js-flags=--no-enable-avx'], modes: ['pairs', 's8'] },
];

describeWithChromium('the demo model from the compiler, in Chromium', () => {
  const texts = sentimentExamples()
    .slice(0, 60)
    .map(({ text }) => text);
  let root: string;
  let ids: number[][];
  let expected: { logits: number[][]; labels: (string | undefined)[] };
  beforeAll(async () => {
    if (!existsSync(join(bundles, 'worker.js'))) throw new Error('no dist/web: run npm run build first');
    const files = await sentimentPackage();
    root = await mkdtemp(join(tmpdir(), 'edgewise-'));
    await writeFile(join(root, 'index.html'), PAGE);
    for (const [name, bytes] of files) await writeFile(join(root, name), bytes);

    const encode = await loadTokenizer(files);
    ids = texts.map((text) => [...encode(text).ids]);
    const classify = await load(files, { rung: 'simd', threads: 1 });
    const logits: number[][] = [];
    for (const input_ids of ids) {
      const outputs = await classify.session.run({ input_ids });
      logits.push(Array.from(outputs['logits']?.data ?? []));
    }
    expected = { logits, labels: (await classify(texts)).map(([best]) => best?.label) };
    classify.dispose();
  });
  afterAll(() => rm(root, { recursive: true }));

  it.each(GENERATORS)(
    'gives the bits that Node gives on every rung and thread count: $name',
    async ({ args, modes }) => {
      await using server = await serveStatic({ root: { '/': root, '/runtime': bundles }, isolated: true });
      const browser = await launchChromium({ args });
      try {
        const page = await browser.newPage();
        await page.goto(server.origin);
        for (const options of [{}, { threads: 2 }, { rung: 'simd' }] as const) {
          const { info, ...answers } = await page.evaluate(
            async (given) => {
              const classify = await globalThis.load('/', given.options);
              const runs = given.ids.map((input_ids) => classify.session.run({ input_ids }));
              const logits = (await Promise.all(runs)).map((outputs) =>
                Array.from(outputs['logits']?.data ?? []),
              );
              const labels = (await classify(given.texts)).map(([best]) => best?.label);
              classify.dispose();
              return { info: classify.info, logits, labels };
            },
            { options, texts, ids },
          );
          expect({ ...answers, info }).toEqual({ ...expected, info });
          expect(info.rung === 'simd' ? ['i16'] : modes).toContain(info.mode);
        }
      } finally {
        await browser.close();
      }
    },
  );
});
