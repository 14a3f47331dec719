import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { pairsCsv, writeEmbeddingModel } from './letter-model.ts';
import { runCli, type CliResult } from './run-cli.ts';

let folder = '';
let model = '';
let out = '';
let made: CliResult;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-features-'));
  model = join(folder, 'letters');
  out = join(folder, 'out');
  writeEmbeddingModel(model);
  writeFileSync(join(folder, 'pairs.csv'), pairsCsv());
  const where = [`--cache=${join(folder, 'cache')}`, `--data=${join(folder, 'pairs.csv')}`, `--out=${out}`];
  made = await runCli('optimize', model, '--task=feature-extraction', '--target=node', ...where);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('edgewise optimize --task feature-extraction', () => {
  it('measures Spearman with bootstrapped intervals against the original', () => {
    expect(made.stderr).not.toContain('error');
    expect(made.code).toBe(0);
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as OptimizeReport;
    expect(report.baseline.metric.name).toBe('spearman');
    expect(report.baseline.metric.value).toBeGreaterThan(0);
    const [float] = report.candidates;
    expect(float?.recipe).toBe('float32');
    // Ranks of 36 pairs: float rounding may swap neighbours, nothing more.
    expect(Math.abs(float?.drop.value ?? 1)).toBeLessThan(0.01);
    expect(report.refused).toEqual([]);
  });

  it('writes pooling and normalization into the manifest', () => {
    const manifest = JSON.parse(readFileSync(join(out, 'edgewise.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ task: 'feature-extraction', pooling: 'mean', normalize: true });
    expect(readdirSync(out)).not.toContain('index.html');
  });

  it('run --pair prints the cosine, and needs the pair', async () => {
    expect(made.stdout).toContain(`Next: edgewise run ${out} "some text" --pair "another text"`);
    const alone = await runCli('run', out, 'zebra');
    expect(alone).toMatchObject({ code: 2, stdout: '' });
    expect(alone.stderr).toContain('--pair <text> is required');
    const same = await runCli('run', out, 'zebra', '--pair', 'zebra', '--json');
    const { scores } = JSON.parse(same.stdout) as { scores: { label: string; score: number }[] };
    expect(scores[0]?.label).toBe('cosine');
    expect(scores[0]?.score).toBeCloseTo(1, 5);
  });
});
