import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithChromium, repoRoot } from '@edgewise/test-utils';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { OptimizeReport } from '../../src/report/optimize-report.ts';
import { EMOTIONS_OF, pairsCsv, writeEmbeddingModel, writeEmotionModel } from '../letter-model.ts';
import { startCli } from '../run-cli.ts';
import { answered, openSite, type, useSite } from './made-site.ts';
import { describeSite } from './site-properties.ts';

const EXAMPLES = 32;

describeWithChromium('the page of a classifier', () => {
  const site = useSite((folder) => {
    const data = join(folder, 'some.tsv');
    const lines = readFileSync(join(repoRoot, 'models/sentiment/eval.tsv'), 'utf8').split('\n');
    writeFileSync(data, `${lines.slice(0, EXAMPLES + 1).join('\n')}\n`);
    return ['models/sentiment', '--data', data];
  });

  it('was measured in this browser', () => {
    const { made, folder } = site();
    expect(made).toMatchObject({ code: 0 });
    expect(made.stdout).toContain(`Next: edgewise serve ${folder}`);
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as OptimizeReport;
    expect(report.machine.browser).toMatch(/^Chromium \d+/);
    for (const { runner } of report.candidates) expect(runner).toMatch(/^edgewise \(Chromium /);
    expect(report.baseline.runner).toMatch(/^onnxruntime /);
  });

  describeSite(site, useClassifier);

  it.each([0, 400])('Ctrl+C %i ms into measuring in the browser ends well', async (wait) => {
    const { args } = site();
    const out = `${site().folder}-interrupted`;
    const { child, result } = startCli([...args, '--out', out, '--fresh']);
    child.stderr.on('data', (text: string) => {
      if (text.includes('candidate 0 of 5')) setTimeout(() => child.kill('SIGINT'), wait);
    });
    expect((await result).code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });

  it('offers examples, and asks for something where nothing is typed', async () => {
    const { context, page } = await openSite(site());
    await page.getByRole('button').first().click();
    await answered(page);
    expect(await page.inputValue('#text')).not.toBe('');
    expect(await page.textContent('#label')).toMatch(/^(POSI|NEGA)TIVE$/);
    await type(page, '#text', '  ');
    expect(await page.textContent('#status')).toBe('Type a sentence, or choose one above.');
    expect(await page.locator('meter').count()).toBe(0);
    await context.close();
  });

  it('keeps up with typing: the last text is the one that is answered', async () => {
    const { context, page } = await openSite(site());
    await page
      .locator('#text')
      .pressSequentially('A funny, moving and beautifully played film.', { delay: 15 });
    await answered(page);
    const typed = await page.locator('meter').first().getAttribute('value');
    await type(page, '#text', '');
    await classify(page, 'A funny, moving and beautifully played film.');
    expect(await page.locator('meter').first().getAttribute('value')).toBe(typed);
    await context.close();
  });
});

describeWithChromium('the page of a classifier with several labels at once', () => {
  const site = useSite((folder) => {
    const data = join(folder, 'some.tsv');
    const model = join(folder, 'emotions');
    writeEmotionModel(model);
    writeFileSync(
      data,
      ['text\tlabels', ...Object.entries(EMOTIONS_OF).map((row) => row.join('\t'))].join('\n'),
    );
    return [model, '--data', data];
  });

  it("shows every label's own probability and which hold", async () => {
    const { context, page } = await openSite(site());
    await type(page, '#text', 'd');
    expect(await page.textContent('#label')).toBe('joy, fear');
    expect(await page.textContent('#each')).toBe('Each label by itself: what is above 50 % holds.');
    const shown = await page.locator('#scores div').allTextContents();
    const shares = shown.map((row) => Number.parseFloat(row.replace(/^\D+/, '')));
    expect(shown.map((row) => row.replace(/[\d.].*/, ''))).toEqual(['anger', 'fear', 'joy']);
    expect(shares[0]).toBeLessThan(50);
    expect(Math.min(...shares.slice(1))).toBeGreaterThan(50);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(100);
    await type(page, '#text', '');
    expect(await page.isVisible('#each')).toBe(false);
    await context.close();
  });

  it('says when none holds', async () => {
    const { context, page } = await openSite(site());
    await type(page, '#text', 'kkkk');
    expect(await page.textContent('#label')).toBe('none of the labels');
    await context.close();
  });
});

describeWithChromium('the page of an encoder of sentences', () => {
  const site = useSite((folder) => {
    const data = join(folder, 'pairs.csv');
    const model = join(folder, 'letters');
    writeEmbeddingModel(model);
    writeFileSync(data, pairsCsv());
    return [model, '--task', 'feature-extraction', '--data', data];
  });

  describeSite(site, useEncoder);

  it('starts with sentences of the data, and asks for what is missing', async () => {
    const { context, page } = await openSite(site());
    await answered(page);
    expect(await page.inputValue('#others')).toContain('\n');
    expect(await page.textContent('#status')).toBe('Type a sentence, or choose one above.');
    await page.getByRole('button').first().click();
    await answered(page);
    expect((await ranking(page)).length).toBeGreaterThan(1);
    await type(page, '#others', '');
    expect(await page.textContent('#status')).toBe('Type a sentence to compare with, one a line.');
    expect(await ranking(page)).toEqual([]);
    await context.close();
  });
});

async function classify(page: Page, text: string): Promise<string | null> {
  await type(page, '#text', text);
  return page.textContent('#label');
}

async function useClassifier(page: Page): Promise<void> {
  expect(await classify(page, 'A funny, moving and beautifully played film.')).toBe('POSITIVE');
  expect(await classify(page, 'A dull, endless, badly played mess.')).toBe('NEGATIVE');
  expect(await page.locator('meter').count()).toBe(2);
  expect(await page.isVisible('#each')).toBe(false);
}

async function useEncoder(page: Page): Promise<void> {
  await type(page, '#others', 'the sea\nzebra\n\n  a tree  \n');
  await type(page, '#text', 'zebra');
  const ranked = await ranking(page);
  expect(ranked.map(({ text }) => text).toSorted()).toEqual(['a tree', 'the sea', 'zebra']);
  expect(ranked[0]).toEqual({ text: 'zebra', cosine: 1 });
  expect(ranked[1]?.cosine).toBeGreaterThanOrEqual(ranked[2]?.cosine ?? 1);
  expect(await page.textContent('#label')).toBe('3 sentences, closest first');
  expect(await page.textContent('#closest')).toBe('zebra');
}

async function ranking(page: Page): Promise<readonly { text: string; cosine: number }[]> {
  const rows = await page.locator('#ranking li').all();
  return Promise.all(
    rows.map(async (row) => ({
      text: (await row.locator('p').textContent()) ?? '',
      cosine: Number(await row.locator('.share').textContent()),
    })),
  );
}
