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
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoRoot } from '@edgewise/test-utils';
import { widenedLayers } from '@edgewise/compiler';
import type { Manifest } from '@edgewise/runtime/format';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import {
  COLORS,
  writeCancellingColorModel,
  writeColorModel,
  writeColorPictures,
  writeQuantizedColorModel,
} from './color-model.ts';
import { runCli, type CliResult } from './run-cli.ts';

const PICTURES = 8;

let folder = '';
let made: CliResult;
const inFolder = (...names: readonly string[]): string => join(folder, ...names);

function optimize(model: string, data: string, ...more: readonly string[]): string[] {
  const fixed = ['--task', 'image-classification', '--target', 'node', '--cache', inFolder('cache')];
  return ['optimize', inFolder(model), '--data', inFolder(data), ...fixed, ...more];
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-images-'));
  writeColorModel(inFolder('colors'));
  await writeColorPictures(inFolder('eval'), PICTURES, 1);
  await writeColorPictures(inFolder('calibration'), 4, 2);
  const calibration = ['--calibration', inFolder('calibration')];
  made = await runCli(
    ...optimize('colors', 'eval', ...calibration, '--sensitivity', '--out', inFolder('out')),
  );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = (name = 'out'): OptimizeReport =>
  JSON.parse(readFileSync(inFolder(name, 'report.json'), 'utf8')) as OptimizeReport;

describe('edgewise optimize --task image-classification', () => {
  it('tries float and static int8, and measures top-1', () => {
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates, refused } = report();
    expect(candidates.map(({ recipe }) => recipe)).toEqual(['float32', 'w8a8-static', 'w7a8-static']);
    // The brightest pixels are not rare: both ways to find the ranges take all.
    expect(refused).toEqual([{ recipe: 'w8a8-static-minmax', reason: 'the same candidate as w8a8-static' }]);
    expect(baseline.metric.name).toBe('top-1');
    expect(baseline.metric.value).toBeGreaterThan(0.9);
    for (const { metric } of candidates) expect(metric.value).toBeGreaterThan(0.8);
    expect(candidates[0]?.metric.value).toBe(baseline.metric.value);
    expect(report().sensitivity?.layers).toMatchObject([{ bits: 8, weights: 9, drop: 0 }]);
    expect(made.stdout).toContain(`Next: edgewise run ${inFolder('out')} --image photo.jpg`);
  });

  it('leaves layers float that 8 bits are too few for, where no quantized candidate follows the float model', async () => {
    writeCancellingColorModel(inFolder('cancelling'));
    const calibration = ['--calibration', inFolder('calibration')];
    const { code, stdout } = await runCli(
      ...optimize('cancelling', 'eval', ...calibration, '--out', inFolder('cancelling-out')),
    );
    expect(code).toBe(0);
    const { candidates, refused, notes } = report('cancelling-out');
    const attempts = ['w8a8-static', 'w8a8-static-minmax', 'w7a8-static', 'w8a8-static-mixed-1'];
    expect(refused.map(({ recipe }) => recipe)).toEqual(attempts);
    for (const { reason } of refused) expect(reason).toContain('no longer follow the float model');
    const mixed = candidates.at(-1);
    expect(mixed).toMatchObject({ recipe: 'w8a8-static-mixed-2', metric: { value: 1 } });
    expect([...widenedLayers(mixed?.steps ?? [])].toSorted()).toEqual(['c1', 'c2']);
    const note =
      'w8a8-static no longer follows the float model; it does with more bits for 2 layers (1, 2 of the 3 layers were tried';
    expect(notes[0]).toContain(note);
    expect(stdout).toContain(note);
    expect(readFileSync(inFolder('cancelling-out', 'report.html'), 'utf8')).toContain('Sensitivity by layer');
  });

  it('compiles a model that is quantized already as it is, and says so', async () => {
    writeQuantizedColorModel(inFolder('quantized'));
    const calibration = ['--calibration', inFolder('calibration')];
    const { code, stderr } = await runCli(
      ...optimize('quantized', 'eval', ...calibration, '--out', inFolder('quantized-out')),
    );
    expect({ code, warnings: stderr.split('\n').filter((line) => line.startsWith('!')) }).toEqual({
      code: 0,
      warnings: [],
    });
    const { baseline, candidates, notes } = report('quantized-out');
    expect(candidates.map(({ recipe }) => recipe)).toEqual(['as-quantized']);
    expect(candidates[0]?.metric.value).toBe(baseline.metric.value);
    expect(baseline.metric.value).toBeGreaterThan(0.9);
    expect(notes).toContainEqual(expect.stringContaining('quantized already'));
    const prune = ['--prune', 'channels', '--max-drop', '1%', '--out', inFolder('none')];
    const refused = await runCli(...optimize('quantized', 'eval', ...calibration, ...prune));
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('Nothing can be taken out of networks that are quantized already.');
  });

  it('says in the manifest how pictures become inputs', () => {
    const manifest = JSON.parse(readFileSync(inFolder('out', 'edgewise.json'), 'utf8')) as Manifest;
    expect(manifest).toMatchObject({
      task: 'image-classification',
      labels: COLORS,
      preprocessing: {
        width: 16,
        height: 16,
        fit: { mode: 'stretch' },
        resample: 'bilinear',
        channels: 'RGB',
        layout: 'NCHW',
        dtype: 'float32',
        scale: 1 / 255,
        mean: [0.5, 0.5, 0.5],
        std: [0.25, 0.25, 0.25],
      },
    });
    expect(manifest.labelOffset).toBeUndefined();
  });

  it('without calibration pictures there is no int8; a table of files is as good as folders', async () => {
    const rows = COLORS.flatMap((color) => [0, 1].map((i) => `eval/${color}/${i}.png,${color}`));
    writeFileSync(inFolder('some.csv'), ['file,what', ...rows].join('\n'));
    const result = await runCli(
      ...optimize('colors', 'some.csv', '--metric', 'top-5', '--out', inFolder('float')),
    );
    expect(result).toMatchObject({ code: 0 });
    const { candidates, baseline, data } = report('float');
    expect(candidates.map(({ recipe }) => recipe)).toEqual(['float32']);
    expect(baseline.metric).toMatchObject({ name: 'top-5', value: 1 });
    expect(data.examples).toBe(rows.length);
  }, 60_000);

  it('runs every picture again when its file has changed', async () => {
    await writeColorPictures(inFolder('eval'), PICTURES, 3);
    const result = await runCli(...optimize('colors', 'eval', '--out', inFolder('again')));
    expect(result).toMatchObject({ code: 0 });
    expect(report('again').baseline.metricReused).toBe(false);
  }, 60_000);
});

describe('edgewise optimize --prune channels', () => {
  it('tries candidates without channels, says what went, and packages one that runs', async () => {
    const source = join(repoRoot, 'models', 'vision');
    const labels = readdirSync(join(source, 'eval'));
    const rows = labels.map((label) => `${join(source, 'eval', label, '01.png')},${label}`);
    writeFileSync(inFolder('letters.csv'), ['file,label', ...rows].join('\n'));
    const data = ['--data', inFolder('letters.csv'), '--calibration', join(source, 'calibration')];
    const fixed = ['--task', 'image-classification', '--target', 'node', '--cache', inFolder('cache')];
    const more = ['--prune', 'channels', '--max-drop', '40%', '--max-size', '10MB'];
    const result = await runCli('optimize', source, ...fixed, ...data, ...more, '--out', inFolder('pruned'));
    expect(result.stderr).toContain('candidate 8 of 8: channels-70+w7a8-static');
    expect(result).toMatchObject({ code: 0 });
    const { candidates, chosen, notes } = report('pruned');
    const sizeOf = (name: string): number =>
      candidates.find(({ recipe }) => recipe === name)?.downloadBytes.brotli ?? NaN;
    expect(sizeOf('channels-85+w8a8-static')).toBeLessThan(sizeOf('w8a8-static'));
    expect(sizeOf('channels-70+w8a8-static')).toBeLessThan(sizeOf('channels-85+w8a8-static'));
    expect(chosen).toContain('channels-70');
    expect(notes).toContainEqual(
      expect.stringMatching(
        /^Removed: \d+ channels of \d+ convolutions; 6\d\.\d\d % of the multiply-accumulates stay\. What is left was fitted on 64 calibration images and their mirror images\.$/,
      ),
    );
    const image = join(source, 'eval', labels[0]!, '00.png');
    const ran = await runCli('run', inFolder('pruned'), '--image', image, '--json');
    expect(ran).toMatchObject({ code: 0 });
    const { scores } = JSON.parse(ran.stdout) as { scores: { label: string }[] };
    expect(scores[0]?.label).toBe(labels[0]);
  }, 240_000);
});

describe('calibration pictures that are not like the data', () => {
  it('give candidates that do not follow the float model, and are left out with the layer and the likely cause', async () => {
    mkdirSync(inFolder('dark'), { recursive: true });
    const black = sharp({ create: { width: 16, height: 16, channels: 3, background: '#040302' } });
    for (const i of [1, 2])
      await black
        .clone()
        .png()
        .toFile(inFolder('dark', `${i}.png`));
    const calibration = ['--calibration', inFolder('dark')];
    const result = await runCli(...optimize('colors', 'eval', ...calibration, '--out', inFolder('broken')));
    expect(result).toMatchObject({ code: 0 });
    const { candidates, refused } = report('broken');
    expect(candidates.map(({ recipe }) => recipe)).toEqual(['float32']);
    expect(refused.map(({ recipe }) => recipe)).toEqual(['w8a8-static', 'w8a8-static-minmax', 'w7a8-static']);
    for (const { reason } of refused)
      expect(reason).toMatch(/no longer follow the float model.*(range|calibrat)/);
    expect(result.stderr).toContain('left out: ');
  }, 60_000);
});

describe('edgewise run --image', () => {
  it('prints the labels, best first', async () => {
    const image = inFolder('eval', 'blue', '1.png');
    const { code, stdout } = await runCli('run', inFolder('out'), '--image', image, '--json', '--top', '2');
    expect(code).toBe(0);
    const { scores } = JSON.parse(stdout) as { scores: { label: string; score: number }[] };
    expect(scores.map(({ label }) => label)[0]).toBe('blue');
    expect(scores).toHaveLength(2);
  });

  it('bench and compare take pictures too', async () => {
    const out = inFolder('out');
    const bench = await runCli('bench', out, '--runs', '5', '--json');
    expect(bench).toMatchObject({ code: 0 });
    expect((JSON.parse(bench.stdout) as { runs: number }[])[0]?.runs).toBe(5);
    const compare = await runCli('compare', out, inFolder('float'), '--data', inFolder('eval'), '--json');
    expect(compare).toMatchObject({ code: 0 });
    expect(JSON.parse(compare.stdout)).toMatchObject({ examples: 3 * PICTURES });
  }, 60_000);
});

describe('what cannot be used', () => {
  const out = (): string[] => ['--out', inFolder('none')];

  it.each<[string, () => string[] | Promise<string[]>, string]>([
    ['no text', () => ['run', inFolder('out'), 'hello'], 'a text does not fit'],
    ['no picture', () => ['run', inFolder('out')], '--image <file> is required'],
    [
      'annotations of a classifier',
      () => ['run', inFolder('out'), '--image', 'a.png', '--annotate', 'b.png'],
      '--annotate does not fit',
    ],
    [
      'a missing picture',
      () => ['run', inFolder('out'), '--image', 'missing.png'],
      'missing.png cannot be read',
    ],
    [
      'a file that is no picture',
      () => ['run', inFolder('out'), '--image', inFolder('colors', 'config.json')],
      'config.json cannot be read as an image',
    ],
    [
      'an empty file',
      () => {
        writeFileSync(inFolder('empty.png'), '');
        return ['run', inFolder('out'), '--image', inFolder('empty.png')];
      },
      'empty.png cannot be read as an image',
    ],
    [
      'tokens of pictures',
      () => [...optimize('colors', 'eval', ...out()), '--max-tokens', '9'],
      'have no tokens',
    ],
    ['missing data', () => optimize('colors', 'nowhere', ...out()), 'nowhere does not exist'],
    [
      'a folder without folders',
      () => {
        mkdirSync(inFolder('bare'), { recursive: true });
        return optimize('colors', 'bare', ...out());
      },
      'has no folders with images',
    ],
    [
      'a picture that a table names and that is not there',
      () => {
        writeFileSync(inFolder('lost.csv'), 'file,label\nlost.png,red\n');
        return optimize('colors', 'lost.csv', ...out());
      },
      'lost.csv names lost.png',
    ],
    [
      'no preprocessing',
      () => {
        writeColorModel(inFolder('bare-model'));
        rmSync(inFolder('bare-model', 'preprocessor_config.json'));
        return optimize('bare-model', 'eval', ...out());
      },
      'preprocessor_config.json is missing',
    ],
    [
      'another size than the model takes',
      () => {
        writeColorModel(inFolder('other-size'), { 'preprocessor_config.json': { size: 32 } });
        return optimize('other-size', 'eval', ...out());
      },
      'images are made 32 × 32, the model takes 16 × 16',
    ],
    [
      'too few labels',
      () => {
        writeColorModel(inFolder('few'), { 'config.json': { id2label: { 0: 'red' } } });
        return optimize('few', 'eval', ...out());
      },
      'names 1 labels; the model has 3 outputs',
    ],
    [
      'a detector that says nothing of its outputs',
      () => [
        'optimize',
        inFolder('colors'),
        '--task',
        'object-detection',
        '--data',
        inFolder('eval'),
        ...out(),
      ],
      'does not say what the outputs of the detector mean',
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await runCli(...(await args()));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('a folder that is no class', async () => {
    mkdirSync(inFolder('odd', 'purple'), { recursive: true });
    copyFileSync(inFolder('eval', 'red', '0.png'), inFolder('odd', 'purple', '0.png'));
    const { code, stderr } = await runCli(...optimize('colors', 'odd', ...out()));
    expect(stderr).toContain(`${inFolder('odd')}: the model has no label 'purple'.`);
    expect(code).toBe(1);
  });
});
