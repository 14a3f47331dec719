import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describeWithChromium, launchChromium } from '@edgewise/test-utils';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openBrowser } from '../../src/measure/browser-runner.ts';
import type { OptimizeReport } from '../../src/report/optimize-report.ts';
import { runtimeFiles } from '../../src/site/runtime-files.ts';
import { writeColorModel, writeColorPictures } from '../color-model.ts';
import { answered, openSite, useSite } from './made-site.ts';
import { describeSite } from './site-properties.ts';

/** What Chromium has instead of a camera: a green picture with a moving pie. */
const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

describeWithChromium('the page of an image classifier', () => {
  const site = useSite(async (folder) => {
    const model = join(folder, 'colors');
    writeColorModel(model);
    await writeColorPictures(join(folder, 'eval'), 4, 1);
    await writeColorPictures(join(folder, 'calibration'), 2, 2);
    const data = ['--data', join(folder, 'eval'), '--calibration', join(folder, 'calibration')];
    return [model, '--task', 'image-classification', ...data];
  });
  const picture = (color: string): string => join(site().folder, '..', 'eval', color, '0.png');

  it('was measured in this browser, with the answers that Node gives', () => {
    const { made, folder } = site();
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates } = JSON.parse(
      readFileSync(join(folder, 'report.json'), 'utf8'),
    ) as OptimizeReport;
    for (const { runner } of candidates) expect(runner).toMatch(/^edgewise \(Chromium /);
    expect(candidates[0]?.metric.value).toBe(baseline.metric.value);
    expect(readdirSync(join(folder, 'examples'))).toHaveLength(6);
  });

  describeSite(site, useClassifier(picture));

  it('nothing keeps listening when measuring is aborted while a candidate is closed', async () => {
    const servers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
    const before = servers();
    const controller = new AbortController();
    const { signal } = controller;
    const runtime = await runtimeFiles('image-classification');
    const browser = await openBrowser({ runtime, signal });
    if ('missing' in browser) throw new Error(browser.missing);
    const first = { file: picture('red') };
    const session = await browser.runner.open(join(site().folder, 'model'), { first, signal });
    expect(servers()).toBe(before + 1);
    const closed = session.close();
    controller.abort(new Error('stopped'));
    await expect(closed).rejects.toThrow('stopped');
    await expect.poll(servers, { timeout: 5000 }).toBe(before);
  });

  it('starts with a picture of the data, and offers others', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    expect(await page.isVisible('#picture')).toBe(true);
    expect(await page.textContent('#label')).toBe('blue');
    await page.getByRole('button', { name: 'Picture 6' }).click();
    await page.locator('#label', { hasText: 'red' }).waitFor();
    await context.close();
  });

  it('says when a file is no picture, and goes on with the next', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    await page.setInputFiles('#file', join(site().folder, 'report.json'));
    await page.getByText('report.json is not a picture that this browser can show.').waitFor();
    expect(await page.isVisible('#picture')).toBe(false);
    await look(page, picture('red'), 'red');
    await context.close();
  });

  it('follows the camera, with the times of the frames, until it is stopped', async () => {
    const browser = await launchChromium({ args: FAKE_CAMERA });
    const { context, page } = await openSite({ ...site(), browser });
    await answered(page);
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.locator('#label', { hasText: 'green' }).waitFor();
    await page.waitForFunction(() =>
      /last \d\d/.test(document.querySelector('figcaption')?.textContent ?? ''),
    );
    expect(await page.textContent('figcaption')).toMatch(
      /^\d+\.\d ms a frame, at most \d+\.\d ms of the last \d+$/,
    );
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    await look(page, picture('blue'), 'blue');
    await context.close();
    await browser.close();
  });

  it('says when the camera is refused', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.locator('#status.failed').waitFor();
    expect(await page.textContent('#status')).toBe('The camera was refused. Choose a picture instead.');
    expect(await page.textContent('#camera')).toBe('Use the camera');
    await context.close();
  });
});

function useClassifier(picture: (color: string) => string): (page: Page) => Promise<void> {
  return async (page) => {
    for (const color of ['green', 'blue']) await look(page, picture(color), color);
    expect(await page.locator('meter').count()).toBe(3);
  };
}

/** Chooses a picture and waits for its label. */
async function look(page: Page, file: string, label: string): Promise<void> {
  await answered(page);
  await page.setInputFiles('#file', file);
  await page.locator('#label', { hasText: label }).waitFor();
  await answered(page);
}
