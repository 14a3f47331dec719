import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import { describeWithChromium, launchChromium } from '../../../test-utils/src/index.ts';

async function bundlePage(): Promise<string> {
  const input = fileURLToPath(new URL('../kernels/page.ts', import.meta.url));
  await using bundle = await rolldown({ input });
  const { output } = await bundle.generate({ format: 'iife' });
  return output[0].code;
}

describeWithChromium('kernels equal their references in Chromium', () => {
  // V8 translates relaxed dots by what the CPU has: each flag takes one instruction set away.
  it.each(['', '--no-enable-avx-vnni', '--no-enable-avx', '--liftoff-only', '--no-liftoff'])(
    'V8 flags: %s',
    async (flags) => {
      const code = await bundlePage();
      const browser = await launchChromium({ args: flags ? [`--js-flags=${flags}`] : [] });
      try {
        const page = await browser.newPage();
        await page.addScriptTag({ content: code });
        for (const rung of ['relaxed', 'simd'] as const) {
          const result = await page.evaluate((name) => globalThis.runKernelCases(name), rung);
          expect({ rung, failures: result.failures }).toEqual({ rung, failures: [] });
          expect(result.count).toBeGreaterThan(250);
        }
      } finally {
        await browser.close();
      }
    },
  );
});
