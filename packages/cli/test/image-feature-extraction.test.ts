import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '@edgewise/runtime/format';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { writeColorEncoder, writeColorPairs } from './color-pairs.ts';
import { runCli, type CliResult } from './run-cli.ts';

let folder = '';
let pairs = '';
let made: CliResult;
const inFolder = (...names: readonly string[]): string => join(folder, ...names);

function optimize(...more: readonly string[]): readonly string[] {
  const fixed = ['--task', 'image-feature-extraction', '--target', 'node', '--cache', inFolder('cache')];
  return ['optimize', inFolder('colors'), ...fixed, ...more];
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-image-pairs-'));
  writeColorEncoder(inFolder('colors'));
  pairs = await writeColorPairs(inFolder('eval'), 1);
  const calibration = ['--calibration', await writeColorPairs(inFolder('calibration'), 2)];
  made = await runCli(...optimize('--data', pairs, ...calibration, '--out', inFolder('out')));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('edgewise optimize --task image-feature-extraction', () => {
  it("measures Spearman's correlation of the cosines, and needs no labels", () => {
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates, data } = JSON.parse(
      readFileSync(inFolder('out', 'report.json'), 'utf8'),
    ) as OptimizeReport;
    expect(data.examples).toBe(66);
    expect(baseline.metric.name).toBe('spearman');
    expect(baseline.metric.value).toBeGreaterThan(0.6);
    expect(candidates).toHaveLength(4);
    for (const { metric } of candidates) expect(metric.value).toBeCloseTo(baseline.metric.value, 1);
    const manifest = JSON.parse(readFileSync(inFolder('out', 'edgewise.json'), 'utf8')) as Manifest;
    expect(manifest).toMatchObject({ task: 'image-feature-extraction', normalize: true });
    expect(manifest).not.toHaveProperty('labels');
  });

  it('run says how alike two pictures are; compare and bench take the package', async () => {
    const similarity = async (image: string, pair: string): Promise<number> => {
      const picture = (name: string): string => inFolder('eval', `${name}.png`);
      const pictures = ['--image', picture(image), '--pair', picture(pair)];
      const { stdout } = await runCli('run', inFolder('out'), ...pictures, '--json');
      return (JSON.parse(stdout) as { scores: { label: string; score: number }[] }).scores[0]?.score ?? NaN;
    };
    expect(await similarity('red/0', 'red/0')).toBeCloseTo(1, 5);
    expect(await similarity('red/0', 'red/1')).toBeGreaterThan(await similarity('red/0', 'blue/0'));
    const compare = await runCli('compare', inFolder('out'), inFolder('out'), '--data', pairs, '--json');
    expect(JSON.parse(compare.stdout)).toMatchObject({ examples: 66, agreement: 1 });
    expect(await runCli('bench', inFolder('out'), '--runs', '3', '--json')).toMatchObject({ code: 0 });
  });

  it('names what is missing', async () => {
    const alone = await runCli('run', inFolder('out'), '--image', inFolder('eval', 'red', '0.png'));
    expect(alone).toMatchObject({ code: 2 });
    expect(alone.stderr).toContain('--pair <file> is required: packages for image-feature-extraction');
    const out = ['--out', inFolder('never')];
    const folders = await runCli(...optimize('--data', inFolder('eval'), ...out));
    expect(folders.stderr).toContain('a table with columns file, file_pair and score is needed');
    writeFileSync(inFolder('eval', 'single.csv'), 'file,score\nred/0.png,1\n');
    const single = await runCli(...optimize('--data', inFolder('eval', 'single.csv'), ...out));
    expect(single.stderr).toContain('single.csv has an example of one image; this task compares two.');
  });
});
