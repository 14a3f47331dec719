import { join } from 'node:path';
import { describeWithChromium } from '@edgewise/test-utils';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { writeColorEncoder, writeColorPairs } from '../color-pairs.ts';
import { answered, openSite, useSite } from './made-site.ts';
import { describeSite } from './site-properties.ts';

async function seesPictures(page: Page): Promise<void> {
  await answered(page);
  expect(await page.textContent('#label')).toBe('6 pictures, closest first');
}

describeWithChromium('the page of an encoder of pictures', () => {
  const site = useSite(async (folder) => {
    writeColorEncoder(join(folder, 'colors'));
    const data = ['--data', await writeColorPairs(join(folder, 'eval'), 1)];
    return [join(folder, 'colors'), '--task', 'image-feature-extraction', ...data];
  });

  describeSite(site, seesPictures);

  it('ranks the pictures, the one that was chosen first', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    await page.getByRole('button', { name: 'Picture 4' }).click();
    const first = page.locator('#ranking li').first();
    await first.getByRole('img', { name: 'Picture 4' }).waitFor();
    expect(await first.textContent()).toContain('1.000');
    expect(await page.locator('#ranking li').count()).toBe(6);
    await context.close();
  });
});
