// How fast the engine's kernels are alone and hot: node benchmarks/kernels.mjs [--only TEXT] [--node] [--flags V8-FLAGS]
// Needs nothing built: it bundles packages/compiler/test/kernels/bench.ts.
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { launch } from './lib/browser.mjs';
import { bundleKernels } from './lib/bundle.mjs';

/** @typedef {import('../packages/compiler/test/kernels/bench.ts').KernelSpeed} KernelSpeed */

const { values } = parseArgs({
  options: {
    /** Only kernels whose name contains it. */
    only: { type: 'string', default: '' },
    /** In Node instead of Chromium. */
    node: { type: 'boolean', default: false },
    /** For V8, such as --no-enable-avx-vnni. */
    flags: { type: 'string', default: '' },
  },
});

const code = await bundleKernels('bench.ts', 'kernelBench');
const speeds = values.node ? await inNode() : await inChromium();
for (const { name, milliseconds, rate, unit } of speeds) {
  console.log(
    `${name.padEnd(48)} ${milliseconds.toFixed(4).padStart(9)} ms ${rate.toFixed(1).padStart(7)} ${unit}`,
  );
}

/** @returns {Promise<KernelSpeed[]>} */
async function inNode() {
  for (const flag of ['--experimental-wasm-relaxed-simd', '--no-liftoff', ...values.flags.split(' ')]) {
    if (flag) v8.setFlagsFromString(flag);
  }
  const module = await import(
    `data:text/javascript,${encodeURIComponent(`${code}\nexport default kernelBench;`)}`
  );
  return module.default.kernelSpeeds(values.only);
}

/** @returns {Promise<KernelSpeed[]>} */
async function inChromium() {
  const browser = await launch(values.flags ? [`--js-flags=${values.flags}`] : []);
  try {
    const page = await browser.newPage();
    // Isolated pages have a clock of 5 µs; others 100 µs.
    await page.route('**/*', (route) =>
      route.fulfill({
        body: '<!doctype html>',
        contentType: 'text/html',
        headers: {
          'Cross-Origin-Opener-Policy': 'same-origin',
          'Cross-Origin-Embedder-Policy': 'require-corp',
        },
      }),
    );
    await page.goto('http://localhost/');
    return await page.evaluate(`${code}\nkernelBench.kernelSpeeds(${JSON.stringify(values.only)})`);
  } finally {
    await browser.close();
  }
}
