import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { EMOTIONS, EMOTIONS_OF, writeEmotionModel } from './letter-model.ts';
import { runCli, type CliResult } from './run-cli.ts';

let folder = '';
let model = '';
let out = '';
let made: CliResult;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-labels-'));
  model = join(folder, 'emotions');
  out = join(folder, 'out');
  writeEmotionModel(model);
  made = await optimize(out, write('some.tsv', tsv({ ...EMOTIONS_OF, zebra: '', mmm: 'joy' })));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function optimize(target: string, data: string, ...more: readonly string[]): Promise<CliResult> {
  const where = [`--cache=${join(folder, 'cache')}`, `--data=${data}`, `--out=${target}`];
  return runCli('optimize', model, '--target=node', ...where, ...more);
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function tsv(labels: Readonly<Record<string, string>>): string {
  return ['text\tlabels', ...Object.entries(labels).map((row) => row.join('\t')), ''].join('\n');
}

const report = (path = out): OptimizeReport =>
  JSON.parse(readFileSync(join(path, 'report.json'), 'utf8')) as OptimizeReport;

describe('a model with several labels at once', () => {
  it('is measured by micro-averaged F1', () => {
    expect(made).toMatchObject({ code: 0 });
    expect(made.stdout).toContain('F1, micro [95 %]');
    const { baseline, candidates, notes } = report();
    // It gives 20 labels; the data have 18 of them: 2·18 / (2·18 + 2)
    expect(baseline.metric.name).toBe('f1-micro');
    expect(baseline.metric.value).toBeCloseTo(36 / 38, 12);
    expect(baseline.metric.low).toBeLessThan(36 / 38);
    expect(baseline.metric.high).toBeGreaterThan(36 / 38);
    expect(candidates[0]).toMatchObject({ recipe: 'float32', metric: baseline.metric });
    for (const { metric, drop } of candidates) {
      expect(drop.value).toBeCloseTo(baseline.metric.value - metric.value, 12);
      expect(drop.low).toBeLessThanOrEqual(drop.value);
      expect(drop.high).toBeGreaterThanOrEqual(drop.value);
    }
    expect(notes.join('\n')).toContain('A label holds where its own probability is above 50 %.');
  });

  it('reads the same labels from CSV and JSONL, by name or number; --metric exact-match', async () => {
    const rows = Object.entries({ ...EMOTIONS_OF, zebra: '', mmm: 'joy' });
    const listOf = (labels: string): readonly string[] => labels.split('|').filter(Boolean);
    const lines = rows.map(([text, labels]) =>
      JSON.stringify({ text, labels: listOf(labels).map((label) => EMOTIONS.indexOf(label)) }),
    );
    const csv = rows.map(([text, labels]) => `${text},"${listOf(labels).join(',')}"`);
    const files = [
      write('some.jsonl', lines.join('\n')),
      write('some.csv', ['text,labels', ...csv].join('\r\n')),
    ];
    for (const file of files) {
      const target = join(folder, 'exact');
      expect(await optimize(target, file, '--metric=exact-match')).toMatchObject({ code: 0 });
      expect(report(target).baseline.metric).toMatchObject({ name: 'exact-match', value: 11 / 13 });
      // The files hold the same examples, so their answers are known.
      expect(report(target).baseline.metricReused).toBe(true);
    }
  });

  it('run says which labels hold', async () => {
    const text = await runCli('run', out, 'd');
    expect(text.stdout).toMatch(/^label +score +holds\njoy +\d+\.\d\d % +yes\n.* yes\n.* no\n$/);
    const { labels, scores } = JSON.parse((await runCli('run', out, 'd', '--json')).stdout) as {
      labels: string[];
      scores: { label: string; score: number }[];
    };
    expect(labels.toSorted()).toEqual(['fear', 'joy']);
    expect(scores).toHaveLength(3);
    // Each by itself: over all labels they sum to more than 1.
    expect(scores.reduce((sum, { score }) => sum + score, 0)).toBeGreaterThan(1);
  });

  it('compare, bench and inspect take it', async () => {
    const data = join(folder, 'some.tsv');
    const compared = await runCli('compare', out, out, '--data', data, '--json');
    expect(JSON.parse(compared.stdout)).toMatchObject({
      a: { metric: { name: 'f1-micro' } },
      drop: { value: 0 },
      agreement: 1,
    });
    const benched = await runCli('bench', out, '--data', data, '--runs', '20', '--json');
    expect(JSON.parse(benched.stdout)).toMatchObject([{ runs: 20 }]);
    const inspected = await runCli('inspect', out);
    expect(inspected.stdout).toContain('several labels at once: joy, anger, fear');
  });

  it('names what does not fit it', async () => {
    const target = join(folder, 'never');
    const metric = await optimize(target, join(folder, 'some.tsv'), '--metric=accuracy');
    expect(metric.stderr).toContain(
      'error: --metric: accuracy does not fit classification with several labels at once. Choose f1-macro, f1-micro, exact-match.',
    );
    expect(metric.code).toBe(2);
    const data = write('unknown.tsv', 'text\tlabels\ncat\tjoy,hope\n');
    const label = await optimize(target, data);
    expect(label.stderr).toContain(`error: ${data}:2: the model has no label 'hope'.`);
    expect(label.code).toBe(1);
  });
});
