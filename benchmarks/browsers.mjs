// Other browser engines: the kernels' bit-identity suite, pages that 'optimize' made, whole models' bits against
// Chromium's, and latency against onnxruntime-web, in every engine that is here.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { encoderCase, measureCase, visionCase } from './lib/browser-cases.mjs';
import { servePages } from './lib/browser.mjs';
import { bundleKernels } from './lib/bundle.mjs';
import { BROWSER_ENGINES } from './lib/engines/index.mjs';
import { CACHE, modelFolder } from './lib/models.mjs';
import { note, printTable, short, spread, writeResult } from './lib/report.mjs';
import { useSite } from './lib/use-site.mjs';

/** Made by `npm run demo -- NAME`. */
const SITES = ['sentiment', 'vision', 'detection'];
const WORK = join(CACHE, 'browsers');
const fromRoot = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * @typedef {import('./lib/browser-cases.mjs').Rung} Rung
 * @typedef {import('./lib/engines/index.mjs').BrowserEngine} BrowserEngine
 * @typedef {import('./lib/engines/index.mjs').EnginePage} EnginePage
 * @typedef {import('./lib/use-site.mjs').SiteUse} SiteUse
 * @typedef {Awaited<ReturnType<typeof checkBrowser>>} BrowserResult
 */

/** @param {import('./run.mjs').Options} options */
export async function run(options) {
  mkdirSync(WORK, { recursive: true });
  writeFileSync(join(WORK, 'kernels.js'), await bundleKernels('page.ts'));
  const cases = [await encoderCase(options), await visionCase(options, WORK)];
  const server = await servePages({
    '/engine': fromRoot('packages/runtime/dist/engine'),
    '/models': join(modelFolder(options, 'minilm'), '..'),
    '/packages': join(CACHE, 'packages'),
    '/vision': WORK,
  });
  const [first, ...others] = BROWSER_ENGINES;
  /** @type {BrowserResult[]} */
  const results = [];
  try {
    for (const engine of [first, ...others.filter(({ name }) => name.includes(options.only ?? ''))]) {
      const missing = engine.missing();
      if (missing) note(`${engine.name} is left out: ${missing}`);
      else results.push(await checkBrowser(engine, server.origin, cases));
    }
  } finally {
    await server.close();
  }
  const compared = results.map((result) => compare(result, results[0]));
  printTable(compared.flatMap(toRows));
  const problems = compared.flatMap(({ engine, problems: found }) =>
    found.map((text) => `${engine}: ${text}`),
  );
  for (const problem of problems) note(problem);
  if (problems.length > 0) process.exitCode = 1;
  if (options.keep) writeResult('browsers', { threads: 1, browsers: compared });
}

/** @param {BrowserEngine} engine @param {string} origin @param {readonly import('./lib/browser-cases.mjs').BrowserCase[]} cases */
async function checkBrowser(engine, origin, cases) {
  const kernels = [];
  for (const tier of ['', ...engine.tiers]) {
    note(`${engine.name}: kernels ${tier}`);
    kernels.push(...(await inBrowser(engine, tier, (page) => runKernels(page, origin, tier))));
  }
  const sites = [];
  for (const name of SITES) {
    note(`${engine.name}: page of ${name}`);
    const folder = fromRoot(`dist/${name}-web`);
    if (!existsSync(folder)) throw new Error(`${folder} is missing: npm run demo -- ${name}`);
    sites.push({ name, ...(await inBrowser(engine, '', (page) => useSite(page, folder))) });
  }
  const models = [];
  for (const each of cases) {
    note(`${engine.name}: ${each.model}`);
    models.push(
      await inBrowser(engine, '', async (page) => {
        const { rungs } = await openBench(page, origin);
        return measureCase(page, each, rungs);
      }),
    );
  }
  const about = await inBrowser(engine, '', async (page, version) => ({
    version,
    ...(await openBench(page, origin)),
  }));
  return { engine: engine.name, ...about, kernels, sites, models };
}

/**
 * @template Result
 * @param {BrowserEngine} engine @param {string} tier @param {(page: EnginePage, version: string) => Promise<Result>} work
 */
async function inBrowser(engine, tier, work) {
  const { page, version, close } = await engine.open(tier);
  try {
    return await work(page, version);
  } finally {
    await close();
  }
}

/**
 * Shows bench.html and tells what the browser has.
 * @param {EnginePage} page @param {string} origin
 * @returns {Promise<{ rungs: Rung[], isolated: boolean }>}
 */
async function openBench(page, origin) {
  await page.goto(`${origin}/bench.html`);
  return page.evaluate(async (features) => {
    const { hasRelaxedSimd } = await import(features);
    return {
      rungs: hasRelaxedSimd() ? ['relaxed', 'simd'] : ['simd'],
      isolated: crossOriginIsolated,
    };
  }, `${origin}/engine/features.js`);
}

/**
 * The suite that the tests run in Chromium, packages/compiler/test/browser.
 * @param {EnginePage} page @param {string} origin @param {string} tier
 */
async function runKernels(page, origin, tier) {
  const { rungs } = await openBench(page, origin);
  const results = [];
  for (const rung of rungs) {
    /** @type {{ count: number, failures: string[] }} */
    const result = await page.evaluate(
      async (/** @type {{ url: string, name: Rung }} */ { url, name }) => {
        await import(url);
        return Reflect.get(globalThis, 'runKernelCases')(name);
      },
      { url: `${origin}/vision/kernels.js`, name: rung },
    );
    results.push({ tier: tier || 'default', rung, ...result });
  }
  return results;
}

/**
 * What goes into the results: problems instead of answers and bits.
 * @param {BrowserResult} result @param {BrowserResult | undefined} reference
 */
function compare({ kernels, sites, models, ...about }, reference) {
  const problems = [
    ...kernels.flatMap(({ tier, rung, failures }) =>
      failures.map((text) => `kernels, ${tier}, ${rung}: ${text}`),
    ),
    ...sites.flatMap((site) => siteProblems(site, reference?.sites)),
    ...models.flatMap((model) => bitProblems(model, reference?.models)),
  ];
  return {
    ...about,
    problems,
    kernels: kernels.map(({ failures, ...suite }) => ({ ...suite, failed: failures.length })),
    sites: sites.map(({ name, engine, answers, offline, wrongFile, camera }) => ({
      name,
      engine: engine.replace(/Ready after.*/, ''),
      answers: answers.length,
      offline: offline !== undefined,
      wrongFile,
      camera,
    })),
    models: models.map(({ bits, ...model }) => ({ ...model, bitsCompared: Object.keys(bits) })),
  };
}

/** @param {SiteUse & { name: string }} site @param {BrowserResult['sites'] | undefined} references */
function siteProblems({ name, answers, offline, file, wrongFile, camera }, references) {
  const expected = references?.find((site) => site.name === name);
  return [
    answers.length === 0 && 'no examples',
    !isDeepStrictEqual(answers, expected?.answers) && 'other answers than in the first browser',
    !offline && 'it is not stored for use without a network',
    offline && !isDeepStrictEqual(offline, answers) && 'other answers without a network',
    file !== expected?.file && `${file} for a picture in the file picker, not ${expected?.file}`,
    wrongFile !== expected?.wrongFile && `"${wrongFile}" for a file that is no picture`,
    camera !== undefined && !camera.includes('ms a frame') && `the camera: ${camera || 'no frames'}`,
  ].flatMap((problem) => (problem ? `page of ${name}: ${problem}` : []));
}

/** @param {import('./lib/browser-cases.mjs').CaseResult} result @param {BrowserResult['models'] | undefined} references */
function bitProblems({ model, bits }, references) {
  const expected = references?.find((each) => each.model === model)?.bits;
  return Object.keys(bits).flatMap((label) =>
    isDeepStrictEqual(bits[label], expected?.[label])
      ? []
      : `${model}, ${label}: other bits than in the first browser`,
  );
}

/** @param {ReturnType<typeof compare>} result */
function toRows({ engine, version, models }) {
  return models.flatMap(({ model, rival, engines }) =>
    engines.map((each) => ({
      browser: `${engine} ${version}`,
      model,
      engine: 'mode' in each ? `${each.engine} (${each.mode})` : each.engine,
      'ms (p10–p90)': spread(each.ms),
      ratio: each.engine === rival ? '' : spread(each.ratio),
      'of least': each.engine === rival ? '' : short(each.least),
    })),
  );
}
