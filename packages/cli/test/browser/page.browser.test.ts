import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import {
  describeWithChromium,
  launchChromium,
  repoRoot,
  serveStatic,
  type StaticServer,
} from '@edgewise/test-utils';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../../src/report/optimize-report.ts';
import { runCli, type CliResult } from '../run-cli.ts';

const EXAMPLES = 32;

describeWithChromium('the site that optimize writes', () => {
  let folder = '';
  let site = '';
  let made: CliResult;
  let browser: Browser;
  let server: StaticServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-site-'));
    site = join(folder, 'site');
    const data = join(folder, 'some.tsv');
    const lines = readFileSync(join(repoRoot, 'models/sentiment/eval.tsv'), 'utf8').split('\n');
    writeFileSync(data, `${lines.slice(0, EXAMPLES + 1).join('\n')}\n`);
    const cache = join(folder, 'cache');
    made = await runCli('optimize', 'models/sentiment', '--data', data, '--out', site, '--cache', cache);
    server = await serveStatic({ root: site, isolated: true });
    browser = await launchChromium();
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openPage(
    origin = server.origin,
  ): Promise<{ context: BrowserContext; page: Page; seen: string[] }> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const seen: string[] = [];
    context.on('request', (request) => seen.push(request.url()));
    page.on('console', (message) => seen.push(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
    await page.goto(`${origin}/`);
    return { context, page, seen };
  }

  async function classify(page: Page, text: string): Promise<string | null> {
    await page.fill('#text', text);
    await page.waitForFunction(
      (typed) => (document.getElementById('text') as HTMLTextAreaElement).value === typed,
      text,
    );
    await page.waitForSelector('#answer:not([hidden])');
    await page.waitForTimeout(400); // longer than the pause that the page waits for
    return page.textContent('#label');
  }

  it('was measured in this browser', () => {
    expect(made).toMatchObject({ code: 0 });
    expect(made.stdout).toContain(`Next: edgewise serve ${site}`);
    const report = JSON.parse(readFileSync(join(site, 'report.json'), 'utf8')) as OptimizeReport;
    expect(report.machine.browser).toMatch(/^Chromium \d+/);
    for (const { runner } of report.candidates) expect(runner).toMatch(/^edgewise \(Chromium /);
    expect(report.baseline.runner).toMatch(/^onnxruntime /);
  });

  it('classifies, says what runs, and asks for nothing but its own files', async () => {
    const { context, page, seen } = await openPage();
    expect(await classify(page, 'A funny, moving and beautifully played film.')).toBe('POSITIVE');
    expect(await classify(page, 'A dull, endless, badly played mess.')).toBe('NEGATIVE');
    expect(await page.textContent('#time')).toMatch(/^\d+(\.\d)? ms$/);
    expect(await page.locator('meter').count()).toBe(2);
    expect(await page.textContent('#engine')).toMatch(
      /WebAssembly, (relaxed|128-bit) SIMD, mode (i16|u8|s8|pairs)/,
    );
    expect(await page.textContent('#engine')).toMatch(/Threads(1|up to \d+)/);
    await page.getByText('Stored: this page works without a network.').waitFor();
    await page.getByRole('button').first().click();
    expect(await page.inputValue('#text')).not.toBe('');
    const files = siteFiles(site);
    const foreign = seen.filter((url) => {
      const path = url.startsWith(`${server.origin}/`) ? url.slice(server.origin.length + 1) : url;
      return path !== '' && !files.includes(path);
    });
    expect(foreign).toEqual([]);
    await context.close();
  });

  it('works with the network off after the first load', async () => {
    const { context, page } = await openPage();
    await page.getByText('Stored: this page works without a network.').waitFor();
    await context.setOffline(true);
    await page.reload();
    expect(await classify(page, 'Funny and moving.')).toBe('POSITIVE');
    await page.getByRole('link', { name: 'How it was made and measured' }).click();
    await page.getByRole('heading', { name: 'Candidates' }).waitFor();
    await context.close();
  });

  it('stores exactly its own files', async () => {
    const { context, page } = await openPage();
    await page.getByText('Stored: this page works without a network.').waitFor();
    const stored = await page.evaluate(async () => {
      const names = await caches.keys();
      const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return keys.map((requests) => requests.map(({ url }) => new URL(url).pathname.slice(1)));
    });
    // The service worker keeps itself; report.json is for tools.
    const own = siteFiles(site).filter((path) => !['sw.js', 'report.json'].includes(path));
    expect(stored.map((paths) => paths.toSorted())).toEqual([own]);
    await context.close();
  });

  it('runs on a host that does not isolate pages', async () => {
    await using plain = await serveStatic({ root: site });
    const { context, page } = await openPage(plain.origin);
    expect(await classify(page, 'Funny and moving.')).toBe('POSITIVE');
    expect(await page.textContent('#engine')).toContain('Threads1');
    await context.close();
  });

  describe.each(['index.html', 'report.html'])('%s', (path) => {
    it('fits a phone, and follows light and dark', async () => {
      const looks = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        const context = await browser.newContext({ viewport: { width: 360, height: 740 }, colorScheme });
        const page = await context.newPage();
        await page.goto(`${server.origin}/${path}`);
        await page.waitForTimeout(300);
        looks.push(
          await page.evaluate(() => ({
            wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            background: getComputedStyle(document.body).backgroundColor,
          })),
        );
        await context.close();
      }
      expect(looks.map(({ wider }) => wider)).toEqual([0, 0]);
      expect(looks[0]?.background).not.toBe(looks[1]?.background);
    });
  });

  it('has a name for every control and one heading of the first level', async () => {
    const { context, page } = await openPage();
    await classify(page, 'Funny and moving.');
    await page.getByRole('textbox', { name: 'A sentence' }).waitFor();
    for (const control of await page.getByRole('button').all())
      expect(await control.textContent()).not.toBe('');
    for (const meter of await page.getByRole('meter').all())
      expect(await meter.getAttribute('aria-label')).toBeTruthy();
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    await context.close();
  });
});

/** Paths of the site's files without their compressed copies, sorted. */
function siteFiles(site: string): readonly string[] {
  return readdirSync(site, { recursive: true, encoding: 'utf8' })
    .map((path) => join(site, path))
    .filter((path) => statSync(path).isFile() && !/\.(br|gz)$/.test(path))
    .map((path) => relative(site, path).replaceAll('\\', '/'))
    .sort();
}
