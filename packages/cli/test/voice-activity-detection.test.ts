import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { expect } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { runCli } from './run-cli.ts';

const SILERO = 'models/audio/silero_vad_16k_op15.onnx';
const COMMANDS = 'datasets/speech-commands-12';
const CONFIG = {
  edgewise: {
    settings: { sr: 16_000 },
    audio: { sampleRate: 16_000, samples: 512 },
    streaming: { context: 64, states: [{ input: 'state', output: 'stateN' }] },
  },
};
const CLIPS_OF_EACH = 6;

itWithAssets(
  'edgewise optimize --task voice-activity-detection: Silero with its state, by the area under the ROC curve',
  [SILERO, COMMANDS],
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgewise-voice-'));
    copyFileSync(sharedAsset(SILERO), join(folder, 'model.onnx'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
    const wav = sharedAsset(`${COMMANDS}/wav`);
    writeFileSync(
      join(folder, 'clips.csv'),
      clips()
        .replaceAll('\n', `\n${wav}/`)
        .replace(/\n[^\n]*$/, ''),
    );
    const out = join(folder, 'out');
    const data = ['--data', join(folder, 'clips.csv'), '--cache', join(folder, 'cache')];
    const task = ['--task', 'voice-activity-detection', '--target', 'node'];
    const refused = await runCli('optimize', folder, ...task, ...data, '--prune', 'channels', '--out', out);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(
      '--prune channels does not fit voice-activity-detection.\nNothing can be taken out of networks of sounds that are not made of convolutions alone.',
    );
    const made = await runCli('optimize', folder, ...task, ...data, '--out', out);
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates } = JSON.parse(
      readFileSync(join(out, 'report.json'), 'utf8'),
    ) as OptimizeReport;
    expect(baseline.metric).toMatchObject({ name: 'auroc', value: 1 });
    expect(candidates.map(({ recipe, metric }) => [recipe, metric.value])).toEqual([
      ['float32', 1],
      ['w8a8-dynamic', 1],
      ['w7a8-dynamic', 1],
    ]);
    const speech = sharedAsset('datasets/vad-sample/test_16k_60s.wav');
    const run = await runCli('run', out, '--audio', speech, '--json');
    const { scores } = JSON.parse(run.stdout) as { scores: { label: string; score: number }[] };
    expect(scores[0]?.label).toBe('speech');
    expect(scores[0]?.score).toBeGreaterThan(0.9);
    rmSync(folder, { recursive: true, force: true });
  },
  240_000,
);

/** A table of the first clips with a word and the first without one; the paths are names. */
function clips(): string {
  const lines = readFileSync(sharedAsset(`${COMMANDS}/labels.csv`), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1);
  const rows = lines
    .map((line) => line.split(','))
    .map(([file, label]) => [file, Number(label !== '_silence_')]);
  const chosen = [1, 0].flatMap((gold) => rows.filter((row) => row[1] === gold).slice(0, CLIPS_OF_EACH));
  return ['file,score', ...chosen.map((row) => row.join(',')), ''].join('\n');
}
