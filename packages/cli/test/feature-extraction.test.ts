import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { runCli, type CliResult } from './run-cli.ts';

// A MiniLM with random weights and one token per letter: enough to see that pooling, pairs and Spearman fit together.
const EXPORT = 'packages/compiler/test/fixtures/exports/minilm-legacy-sdpa.onnx';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');

let folder = '';
let model = '';
let out = '';
let made: CliResult;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-features-'));
  model = join(folder, 'letters');
  out = join(folder, 'out');
  mkdirSync(join(model, '1_Pooling'), { recursive: true });
  copyFileSync(join(repoRoot, EXPORT), join(model, 'model.onnx'));
  writeJson('config.json', { model_type: 'bert', max_position_embeddings: 64 });
  writeJson('1_Pooling/config.json', { pooling_mode_mean_tokens: true, pooling_mode_cls_token: false });
  writeJson('modules.json', [{ type: 'sentence_transformers.models.Normalize' }]);
  writeJson('tokenizer.json', letterTokenizer());
  writeFileSync(join(folder, 'pairs.csv'), pairs());
  const where = [`--cache=${join(folder, 'cache')}`, `--data=${join(folder, 'pairs.csv')}`, `--out=${out}`];
  made = await runCli('optimize', model, '--task=feature-extraction', '--target=node', ...where);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(model, name), JSON.stringify(value));
}

function letterTokenizer(): object {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
  const tokens = [...special, ...LETTERS, ...LETTERS.map((letter) => `##${letter}`)];
  return {
    version: '1.0',
    added_tokens: special.map((content, id) => ({ id, content, special: true })),
    normalizer: { type: 'BertNormalizer', lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    decoder: { type: 'WordPiece', prefix: '##' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}

function pairs(): string {
  const words = ['cat', 'dog', 'a tree', 'the sea', 'blue sky', 'zebra', 'quiz', 'jam'];
  const rows = words.flatMap((a, i) =>
    words.slice(i).map((b) => `${a},${b},${a === b ? 5 : (a.length * b.length) % 4}`),
  );
  return `sentence1,sentence2,score\n${rows.join('\n')}\n`;
}

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

  it('run --pair prints the cosine', async () => {
    const same = await runCli('run', out, 'zebra', '--pair', 'zebra', '--json');
    const { scores } = JSON.parse(same.stdout) as { scores: { label: string; score: number }[] };
    expect(scores[0]?.label).toBe('cosine');
    expect(scores[0]?.score).toBeCloseTo(1, 5);
  });
});
