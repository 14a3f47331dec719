import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { runCli, type CliResult } from './run-cli.ts';
import { TONES, writeRawToneModel, writeToneModel, writeTones } from './tone-model.ts';

const CLIPS = 6;

let folder = '';
let made: CliResult;
const inFolder = (...names: readonly string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-sounds-'));
  writeToneModel(inFolder('tones'));
  writeTones(inFolder('eval'), CLIPS, 1);
  writeTones(inFolder('calibration'), 3, 2);
  const data = ['--data', inFolder('eval'), '--calibration', inFolder('calibration')];
  const fixed = ['--task', 'audio-classification', '--target', 'node', '--cache', inFolder('cache')];
  made = await runCli('optimize', inFolder('tones'), ...fixed, ...data, '--out', inFolder('out'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('edgewise optimize --task audio-classification', () => {
  it('tries float and static int8 on sounds of any rate', () => {
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates, refused, data } = JSON.parse(
      readFileSync(inFolder('out', 'report.json'), 'utf8'),
    ) as OptimizeReport;
    expect(data.examples).toBe(2 * CLIPS);
    expect(baseline.metric).toMatchObject({ name: 'accuracy', value: 1 });
    // Both ways to find ranges give the same model, which is one candidate.
    expect(candidates.map(({ recipe, metric }) => [recipe, metric.value])).toEqual([
      ['float32', 1],
      ['w8a8-static', 1],
      ['w7a8-static', 1],
    ]);
    expect(refused).toEqual([{ recipe: 'w8a8-static-minmax', reason: 'the same candidate as w8a8-static' }]);
  });

  it('leaves out candidates without channels where none can go', async () => {
    const data = ['--data', inFolder('eval'), '--calibration', inFolder('calibration')];
    const fixed = ['--task', 'audio-classification', '--target', 'node', '--cache', inFolder('cache')];
    const prune = ['--prune', 'channels', '--max-drop', '1%', '--out', inFolder('pruned')];
    const result = await runCli('optimize', inFolder('tones'), ...fixed, ...data, ...prune);
    expect(result).toMatchObject({ code: 0 });
    const { refused } = JSON.parse(readFileSync(inFolder('pruned', 'report.json'), 'utf8')) as OptimizeReport;
    const pruned = refused.filter(({ recipe }) => recipe.startsWith('channels'));
    expect(pruned.map(({ recipe }) => recipe)).toEqual([
      'channels-85+w8a8-static',
      'channels-85+w7a8-static',
      'channels-70+w8a8-static',
      'channels-70+w7a8-static',
    ]);
    for (const { reason } of pruned) expect(reason).toContain('no channels are free to go');
  }, 120_000);

  it('run, bench and compare take sounds', async () => {
    const audio = inFolder('eval', 'high', '1.wav');
    const run = await runCli('run', inFolder('out'), '--audio', audio, '--json');
    const { scores } = JSON.parse(run.stdout) as { scores: { label: string }[] };
    expect(scores.map(({ label }) => label)).toEqual(['high', 'low']);
    const bench = await runCli('bench', inFolder('out'), '--runs', '3', '--json');
    expect(bench).toMatchObject({ code: 0 });
    const rows = TONES.map((tone) => `eval/${tone}/0.wav,${tone}`);
    writeFileSync(inFolder('some.csv'), ['file,label', ...rows].join('\n'));
    const compare = await runCli(
      'compare',
      inFolder('out'),
      inFolder('out'),
      '--data',
      inFolder('some.csv'),
      '--json',
    );
    expect(JSON.parse(compare.stdout)).toMatchObject({ examples: 2, agreement: 1 });
  }, 60_000);
});

describe('preprocessor_config.json', () => {
  it('says how raw samples become the input', async () => {
    writeRawToneModel(inFolder('raw'), { samples: 2000 });
    const data = ['--data', inFolder('eval'), '--target', 'node', '--out', inFolder('raw-out')];
    const result = await runCli('optimize', inFolder('raw'), '--task', 'audio-classification', ...data);
    expect(result).toMatchObject({ code: 0 });
    const read = (name: string): object =>
      JSON.parse(readFileSync(inFolder('raw-out', name), 'utf8')) as object;
    expect(read('edgewise.json')).toMatchObject({
      audio: { sampleRate: 8000, samples: 2000, gain: 'standard' },
    });
    expect(read('report.json')).toMatchObject({ baseline: { metric: { value: 1 } } });
  }, 60_000);

  it('has to leave no question open', async () => {
    writeRawToneModel(inFolder('endless'), {});
    const data = ['--data', inFolder('eval'), '--out', inFolder('none')];
    const { code, stderr } = await runCli(
      'optimize',
      inFolder('endless'),
      '--task',
      'audio-classification',
      ...data,
    );
    expect(stderr).toContain(
      `${inFolder('endless', 'preprocessor_config.json')} does not say how long clips are`,
    );
    expect(code).toBe(2);
  });
});

describe('what cannot be used', () => {
  it.each<[string, () => string[], string]>([
    ['no sound', () => ['run', inFolder('out')], '--audio <file> is required'],
    ['a picture', () => ['run', inFolder('out'), '--image', 'a.png'], '--image does not fit'],
    [
      'what is no WAV file',
      () => ['run', inFolder('out'), '--audio', inFolder('tones', 'config.json')],
      'config.json cannot be read as a sound',
    ],
    [
      'a model that does not say what it takes',
      () => {
        writeToneModel(inFolder('silent'), { id2label: { 0: 'low', 1: 'high' } });
        const given = ['--task', 'audio-classification', '--data', inFolder('eval')];
        return ['optimize', inFolder('silent'), ...given, '--out', inFolder('none')];
      },
      "does not say how sound becomes the model's input",
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await runCli(...args());
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
