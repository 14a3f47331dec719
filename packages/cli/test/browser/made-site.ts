import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { launchChromium, serveStatic, type StaticServer } from '@edgewise/test-utils';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { runCli, type CliResult } from '../run-cli.ts';

/** A site that `optimize` made, served, with a browser to open it in. */
export interface MadeSite {
  readonly folder: string;
  /** The command line that made it, but for `--out`. */
  readonly args: readonly string[];
  readonly made: CliResult;
  readonly server: StaticServer;
  readonly browser: Browser;
}

export interface OpenSite {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page asked for, printed and threw. */
  readonly seen: readonly string[];
}

/**
 * Makes a site before the tests of a suite and removes it after them.
 * @param prepare arguments of `optimize`, from a folder to put data into
 */
export function useSite(
  prepare: (folder: string) => readonly string[] | Promise<readonly string[]>,
): () => MadeSite {
  let folder = '';
  let site: MadeSite | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-site-'));
    const out = join(folder, 'site');
    const args = ['optimize', ...(await prepare(folder)), '--cache', join(folder, 'cache')];
    const made = await runCli(...args, '--out', out);
    const server = await serveStatic({ root: out, isolated: true });
    site = { folder: out, args, made, server, browser: await launchChromium() };
  }, 240_000);
  afterAll(async () => {
    await site?.browser.close();
    await site?.server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    if (!site) throw new Error('the site was not made');
    return site;
  };
}

/** Opens the site's page, or another address, in a browser profile of its own. */
export async function openSite(
  { browser, server }: MadeSite,
  address: string = `${server.origin}/`,
  options: BrowserContextOptions = {},
): Promise<OpenSite> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const seen: string[] = [];
  context.on('request', (request) => seen.push(request.url()));
  page.on('console', (message) => seen.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  await page.goto(address);
  return { context, page, seen };
}

/** Types into a field and waits for the answer. */
export async function type(page: Page, field: string, text: string): Promise<void> {
  await page.fill(field, text);
  await answered(page);
}

/** Waits until the page has nothing more to say to what is typed. */
export async function answered(page: Page): Promise<void> {
  await page.waitForSelector('#result[aria-busy="false"]');
}

/** Waits until the page can do without a network. */
export async function stored(page: Page): Promise<void> {
  await page.getByText('Stored: this page works without a network.').waitFor();
}

/** Paths of the site's files without their compressed copies, sorted. */
export function filesOf({ folder }: MadeSite): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile() && !/\.(br|gz)$/.test(path))
    .map((path) => relative(folder, path).replaceAll('\\', '/'))
    .sort();
}
