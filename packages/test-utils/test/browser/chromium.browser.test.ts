import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithChromium, launchChromium, serveStatic } from '../../src/index.ts';

describeWithChromium('Chromium and the static server', () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-server-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([true, false])('cross-origin isolated: %s', async (isolated) => {
    await using server = await serveStatic({ root: { '/': folder, '/inner': folder }, isolated });
    const page = await browser.newPage();
    await page.goto(`${server.origin}/inner/`);
    expect(await page.title()).toBe('page');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
    expect(server.requests[0]).toBe('/inner/');
    expect((await fetch(`${server.origin}/missing`)).status).toBe(404);
    await page.close();
  });
});
