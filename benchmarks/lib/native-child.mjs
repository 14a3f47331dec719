// What the processes share that measure one case for native.mjs and native-vision.mjs.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { InferenceSession } from 'onnxruntime-node';
import { launch, servePages } from './browser.mjs';
import { measureEngines, openBenchPage } from './page.mjs';

export const NATIVE = 'onnxruntime-node';
export const NODE = 'edgewise in Node';
export const CHROMIUM = 'edgewise in Chromium';

const ROUNDS = 40;
const WARM_UP = 3;
/** Runs that the fastest of several models is found by. */
const TRIES = 12;

/**
 * @typedef {{ run: () => Promise<InferenceSession.OnnxValueMapType>, close: () => Promise<void> }} Native
 * @typedef {(session: InferenceSession) => InferenceSession.FeedsType} FeedsOf
 */

/**
 * Runs a case in a page of a Chromium of its own and prints what it gives, with the browser's version.
 * @param {Readonly<Record<string, string>>} folders that the page may load, by URL prefix
 * @param {(page: import('playwright-core').Page) => Promise<object>} measure
 */
export async function printCase(folders, measure) {
  const server = await servePages(folders);
  const browser = await launch();
  try {
    const page = await openBenchPage(browser, server.origin);
    const measured = await measure(page);
    process.stdout.write(JSON.stringify({ ...measured, chromium: browser.version() }));
  } finally {
    await browser.close();
    await server.close();
  }
}

/** One thread of onnxruntime-node. @param {string} file @param {FeedsOf} feedsOf @returns {Promise<Native>} */
export async function openNative(file, feedsOf) {
  const session = await InferenceSession.create(readFileSync(file), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = feedsOf(session);
  return { run: () => session.run(feeds), close: () => session.release() };
}

/** The file that onnxruntime-node is quickest with. @param {readonly string[]} files @param {FeedsOf} feedsOf */
export async function fastestFile(files, feedsOf) {
  let best = { file: '', time: Infinity };
  for (const file of files) {
    const { run, close } = await openNative(file, feedsOf);
    const times = [];
    for (let round = 0; round < TRIES; round++) times.push(await timed(run));
    await close();
    const time = Math.min(...times);
    if (time < best.time) best = { file, time };
  }
  return best.file;
}

/**
 * Milliseconds of each run of engines that take turns: those given and those that the page has open.
 * @param {Readonly<Record<string, () => Promise<unknown>>>} here @param {import('playwright-core').Page} page
 * @param {object} input of the page's @param {number} scale
 */
export async function takeTurns(here, page, input, scale) {
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let round = -WARM_UP; round < ROUNDS * scale; round++) {
    /** @type {Record<string, number>} */
    const taken = {};
    for (const [label, run] of Object.entries(here)) taken[label] = await timed(run);
    const there = await measureEngines(page, input, { rounds: 1, warmUp: 0 });
    for (const [label, [ms = NaN]] of Object.entries(there)) taken[label] = ms;
    if (round < 0) continue;
    for (const [label, ms] of Object.entries(taken)) (times[label] ??= []).push(ms);
  }
  return times;
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
