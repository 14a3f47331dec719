import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Runner, RunnerInput, RunnerOutput, RunnerSession } from '@edgewise/compiler';
import type { Browser, Page } from 'playwright-core';
import { withTemporaryFolder } from '../files/temporary-folder.ts';
import { startServer, type ServerAnswer } from '../serve/start-server.ts';
import { findBrowser } from './find-browser.ts';
import { decodeInput, readPackageManifest } from './open-task.ts';
import { unlessAborted } from './unless-aborted.ts';

/** The measuring page: page/measure.js sets these functions. */
interface MeasurePage {
  open(
    first: object,
    options?: { threads?: number },
  ): Promise<{ loadMs: number; firstMs: number; memoryBytes: number }>;
  run(inputs: readonly object[]): Promise<RunnerOutput[]>;
  memory(): Promise<number>;
}

declare const edgewiseMeasure: MeasurePage;

export interface OpenBrowser {
  readonly runner: Runner<string>;
  /** Name and version. */
  readonly version: string;
  readonly close: () => Promise<void>;
}

export interface OpenBrowserOptions {
  /** The runtime's browser bundle by file name. */
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly signal: AbortSignal;
}

const PAGE = new URL('../../page/', import.meta.url);

const FLAGS = [
  '--headless=new',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Memory is measured when asked for, not when the browser next collects garbage.
  '--enable-blink-features=ForceEagerMeasureMemory',
];

/** A browser to measure packages in, or why there is none. */
export async function openBrowser({
  runtime,
  signal,
}: OpenBrowserOptions): Promise<OpenBrowser | { readonly missing: string }> {
  const executablePath = findBrowser();
  if (executablePath === undefined) return { missing: 'no Chromium or Chrome was found' };
  const playwright = await import('playwright-core').catch(() => undefined);
  if (!playwright) return { missing: 'playwright-core is not installed' };
  let browser: Browser;
  try {
    browser = await playwright.chromium.launch({
      executablePath,
      // `headless: false` keeps Playwright from adding its own flag beside ours.
      headless: false,
      handleSIGINT: false,
      handleSIGTERM: false,
      // Chromium refuses to run as root inside its sandbox.
      args: process.getuid?.() === 0 ? [...FLAGS, '--no-sandbox'] : FLAGS,
    });
  } catch (error) {
    return { missing: `${executablePath} does not start: ${(error as Error).message.split('\n')[0] ?? ''}` };
  }
  const close = (): Promise<void> => browser.close();
  const stop = (): void => void close();
  signal.addEventListener('abort', stop, { once: true });
  const version = `Chromium ${browser.version()}`;
  return {
    version,
    runner: {
      name: `edgewise (${version})`,
      open: (folder, { first }) => openSession({ browser, runtime, folder, first, signal }),
    },
    close: async () => {
      signal.removeEventListener('abort', stop);
      await close();
    },
  };
}

interface SessionParts {
  readonly browser: Browser;
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly folder: string;
  readonly first: RunnerInput;
  readonly signal: AbortSignal;
}

async function openSession({
  browser,
  runtime,
  folder,
  first,
  signal,
}: SessionParts): Promise<RunnerSession> {
  const asked = new Set<string>();
  const note = (input: RunnerInput): void => {
    if (!('file' in input)) return;
    asked.add(input.file);
    if (input.filePair !== undefined) asked.add(input.filePair);
  };
  note(first);
  const { task } = await readPackageManifest(folder);
  const site = await openSite(runtime, folder, (url) => decodedExample(url, task, asked));
  // What is asked of a browser that is being closed may never be answered.
  const ask = <T>(answer: Promise<T>): Promise<T> => unlessAborted(answer, signal);
  try {
    const page = await ask(openPage(browser, site.url));
    const { loadMs, firstMs, memoryBytes } = await ask(
      page.evaluate((input) => edgewiseMeasure.open(input), first),
    );
    return {
      loadMs,
      firstMs,
      run: (inputs) => {
        inputs.forEach(note);
        return ask(page.evaluate((list) => edgewiseMeasure.run(list), [...inputs]));
      },
      // What the browser tells leaves out memory that threads share, which is where the engine lives.
      peakMemoryBytes: async () => memoryBytes + (await ask(heldMemory(browser, site.url, first))),
      close: async () => {
        try {
          if (!signal.aborted) await ask(page.context().close());
        } finally {
          // Also when the work is aborted meanwhile: a server that listens keeps the process alive.
          await site.close();
        }
      },
    };
  } catch (error) {
    await site.close();
    throw error;
  }
}

/** In a context of its own: nothing of another candidate is in its caches. */
async function openPage(browser: Browser, site: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${site}measure.html`);
  await page.waitForFunction('"edgewiseMeasure" in globalThis');
  return page;
}

/**
 * Bytes of the scripts over the empty page, after the first answer; 0 where the browser does not tell. With one thread: the others sleep in
 * `Atomics.wait`, and a browser that asks them what they hold waits a minute.
 */
async function heldMemory(browser: Browser, site: string, first: RunnerInput): Promise<number> {
  const page = await openPage(browser, site);
  const bytes = await page.evaluate(async (input) => {
    await edgewiseMeasure.open(input, { threads: 1 });
    return edgewiseMeasure.memory();
  }, first);
  await page.context().close();
  return bytes;
}

/**
 * Files are decoded here, once for every browser: the page gets the same pixels and samples that a Node process gets, and
 * the browser's decoder is in no measurement.
 * @param asked files that the page may have
 */
async function decodedExample(
  url: string,
  task: string,
  asked: ReadonlySet<string>,
): Promise<ServerAnswer | undefined> {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const file = searchParams.get('file') ?? '';
  if (pathname !== '/example' || !asked.has(file)) return undefined;
  const decoded = await decodeInput({ file }, task);
  if ('samples' in decoded) {
    const { samples, sampleRate } = decoded;
    const channels = samples instanceof Float32Array ? [samples] : [...samples];
    return {
      headers: { 'X-Example': JSON.stringify({ sampleRate, channels: channels.length }) },
      body: Buffer.concat(
        channels.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
      ),
    };
  }
  if (!('data' in decoded)) return undefined;
  const { data, width, height, channels } = decoded;
  const headers = { 'X-Example': JSON.stringify({ width, height, channels }) };
  return { headers, body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

async function openSite(
  runtime: ReadonlyMap<string, Uint8Array>,
  folder: string,
  answer: (url: string) => Promise<ServerAnswer | undefined>,
): Promise<{ url: string; close: () => Promise<void> }> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return new Promise((resolve, reject) => {
    void withTemporaryFolder(async (site) => {
      await cp(folder, join(site, 'model'), { recursive: true });
      await mkdir(join(site, 'runtime'));
      await Promise.all([...runtime].map(([name, bytes]) => writeFile(join(site, 'runtime', name), bytes)));
      for (const name of ['measure.js', 'cosine.js'])
        await cp(fileURLToPath(new URL(name, PAGE)), join(site, name));
      await writeFile(
        join(site, 'measure.html'),
        '<!doctype html><script type="module" src="measure.js"></script>',
      );
      const server = await startServer({ folder: site, port: 0, host: '127.0.0.1', answer });
      resolve({
        url: server.url,
        close: async () => {
          await server.close();
          release();
        },
      });
      await released;
    }).catch(reject);
  });
}
