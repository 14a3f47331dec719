import { serveStatic } from '@edgewise/test-utils';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { answered, filesOf, openSite, stored, type MadeSite } from './made-site.ts';

/** Scripts that the page does not import: itself, and what workers and worklets run. */
const LATER = new Set(['app.js', 'sw.js', 'runtime/worker.js', 'microphone-worklet.js']);

/**
 * What the page of every task must do.
 * @param use types something and checks that the answer is right
 */
export function describeSite(site: () => MadeSite, use: (page: Page) => Promise<void>): void {
  describe('as every page', () => {
    it('answers, says what runs, and asks for nothing but its own files', async () => {
      const { context, page, seen } = await openSite(site());
      await use(page);
      expect(await page.textContent('#time')).toMatch(/^\d+(\.\d)? ms$/);
      expect(await page.textContent('#engine')).toMatch(
        /WebAssembly, (relaxed|128-bit) SIMD, mode (i16|u8|s8|pairs)/,
      );
      expect(await page.textContent('#engine')).toMatch(/Threads(1|up to \d+)/);
      await stored(page);
      const { origin } = site().server;
      const files = filesOf(site());
      const foreign = seen.filter((url) => {
        const path = url.startsWith(`${origin}/`) ? url.slice(origin.length + 1) : url;
        return path !== '' && !files.includes(path);
      });
      expect(foreign).toEqual([]);
      await context.close();
    });

    it('preloads every script that it starts with, each once', async () => {
      const { context, page, seen } = await openSite(site());
      await answered(page);
      const preloaded = await page
        .locator('link[rel=modulepreload]')
        .evaluateAll((links) => links.map((link) => (link as HTMLLinkElement).href));
      const scripts = filesOf(site())
        .filter((path) => path.endsWith('.js'))
        .filter((path) => !LATER.has(path));
      const { origin } = site().server;
      expect(preloaded.toSorted()).toEqual(scripts.map((path) => `${origin}/${path}`));
      expect(seen.filter((line) => line.startsWith('console'))).toEqual([]);
      await context.close();
    });

    it('works with the network off after the first load', async () => {
      const { context, page } = await openSite(site());
      await stored(page);
      await context.setOffline(true);
      await page.reload();
      await use(page);
      await page.getByRole('link', { name: 'How it was made and measured' }).click();
      await page.getByRole('heading', { name: 'Candidates' }).waitFor();
      await context.close();
    });

    it('stores exactly its own files', async () => {
      const { context, page } = await openSite(site());
      await stored(page);
      const kept = await page.evaluate(async () => {
        const names = await caches.keys();
        const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
        return keys.map((requests) => requests.map(({ url }) => new URL(url).pathname.slice(1)));
      });
      // The service worker keeps itself; report.json is for tools.
      const own = filesOf(site()).filter((path) => !['sw.js', 'report.json'].includes(path));
      expect(kept.map((paths) => paths.toSorted())).toEqual([own]);
      await context.close();
    });

    it('runs on a host that does not isolate pages', async () => {
      await using plain = await serveStatic({ root: site().folder });
      const { context, page } = await openSite(site(), `${plain.origin}/`);
      await use(page);
      expect(await page.textContent('#engine')).toContain('Threads1');
      await context.close();
    });

    it('says what went wrong when the model does not load', async () => {
      const { context, page } = await openSite(site(), 'about:blank');
      await page.route('**/model.weights', (route) => route.fulfill({ status: 404 }));
      await page.goto(`${site().server.origin}/`);
      await answered(page);
      expect(await page.textContent('#status.failed')).toContain('model.weights');
      expect(await page.isVisible('#answer')).toBe(false);
      await context.close();
    });

    it.each(['index.html', 'report.html'])('%s fits a phone, and follows light and dark', async (path) => {
      const looks = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        const viewport = { width: 360, height: 740 };
        const { context, page } = await openSite(site(), `${site().server.origin}/${path}`, {
          viewport,
          colorScheme,
        });
        if (path === 'index.html') await use(page);
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

    it('has a name for every control, reached by keyboard in reading order, and one heading of the first level', async () => {
      const { context, page } = await openSite(site());
      await use(page);
      const controls = 'textarea, button, a[href]';
      const names = await page
        .locator(controls)
        .evaluateAll((all) =>
          all.map(
            (control) => (control as HTMLTextAreaElement).labels?.[0]?.textContent ?? control.textContent,
          ),
        );
      for (const name of names) expect(name).not.toBe('');
      const reached = [];
      await page.locator('body').click({ position: { x: 1, y: 1 } });
      for (const _ of names) {
        await page.keyboard.press('Tab');
        reached.push(await page.evaluate(() => document.activeElement?.textContent ?? ''));
      }
      expect(reached).toEqual(await page.locator(controls).allTextContents());
      for (const meter of await page.getByRole('meter').all())
        expect(await meter.getAttribute('aria-label')).toBeTruthy();
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      await context.close();
    });
  });
}
