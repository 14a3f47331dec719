import { join } from 'node:path';
import { describeWithChromium, launchChromium } from '@edgewise/test-utils';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { writeToneModel, writeTones } from '../tone-model.ts';
import { answered, openSite, useSite } from './made-site.ts';
import { describeSite } from './site-properties.ts';

describeWithChromium('the page of a classifier of sounds', () => {
  const site = useSite((folder) => {
    const model = join(folder, 'tones');
    writeToneModel(model);
    writeTones(join(folder, 'eval'), 3, 1);
    writeTones(join(folder, 'calibration'), 2, 2);
    const data = ['--data', join(folder, 'eval'), '--calibration', join(folder, 'calibration')];
    return [model, '--task', 'audio-classification', ...data];
  });
  const sound = (tone: string): string => join(site().folder, '..', 'eval', tone, '0.wav');

  describeSite(site, useTones(sound));

  it('asks for a sound, and says when a file is none', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    expect(await page.textContent('#status')).toBe('Choose a sound, drop one here or use the microphone.');
    await page.setInputFiles('#file', join(site().folder, 'report.json'));
    await page.locator('#status.failed').waitFor();
    expect(await page.textContent('#status')).toBe('report.json is not a sound that this browser can play.');
    await hear(page, sound('low'), 'low');
    await context.close();
  });

  it('follows the microphone until it is stopped', async () => {
    const args = [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${sound('high')}`,
    ];
    const browser = await launchChromium({ args });
    const { context, page } = await openSite({ ...site(), browser });
    await hear(page, sound('low'), 'low');
    await page.getByRole('button', { name: 'Use the microphone' }).click();
    await page.locator('#label', { hasText: 'high' }).waitFor();
    await page.getByRole('button', { name: 'Stop the microphone' }).click();
    await hear(page, sound('low'), 'low');
    expect(await page.textContent('#microphone')).toBe('Use the microphone');
    await context.close();
    await browser.close();
  });
});

function useTones(sound: (tone: string) => string): (page: Page) => Promise<void> {
  return async (page) => {
    for (const tone of ['high', 'low']) await hear(page, sound(tone), tone);
    expect(await page.locator('meter').count()).toBe(2);
  };
}

/** Chooses a sound and waits for its label. */
async function hear(page: Page, file: string, label: string): Promise<void> {
  await answered(page);
  await page.setInputFiles('#file', file);
  await page.locator('#label', { hasText: label }).waitFor();
  await answered(page);
}
