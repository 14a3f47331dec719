import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '@edgewise/test-utils';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizeReport } from '../src/report/optimize-report.ts';
import { runCli, type CliResult } from './run-cli.ts';

const MODEL = 'models/detection';
const IMAGES = 12;

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly annotations: readonly { readonly image_id: number }[];
}

let folder = '';
let made: CliResult;
const inFolder = (...names: readonly string[]): string => join(folder, ...names);

/** The first images of the model's own data as a file of boxes in another folder. */
function writeSome(path: string): void {
  const source = join(repoRoot, MODEL, 'eval');
  const { images, annotations, ...rest } = JSON.parse(
    readFileSync(join(source, 'annotations.json'), 'utf8'),
  ) as Coco;
  const some = images.slice(0, IMAGES);
  const ids = new Set(some.map(({ id }) => id));
  const coco = {
    ...rest,
    images: some.map((image) => ({ ...image, file_name: join(source, image.file_name) })),
    annotations: annotations.filter(({ image_id: id }) => ids.has(id)),
  };
  writeFileSync(path, JSON.stringify(coco));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-boxes-'));
  writeSome(inFolder('some.json'));
  const data = ['--data', inFolder('some.json'), '--calibration', join(MODEL, 'calibration')];
  const fixed = ['--task', 'object-detection', '--target', 'node', '--cache', inFolder('cache')];
  made = await runCli('optimize', MODEL, ...fixed, ...data, '--out', inFolder('out'));
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('edgewise optimize --task object-detection', () => {
  it('measures mean average precision, with intervals of the images', () => {
    expect(made).toMatchObject({ code: 0 });
    const { baseline, candidates, data } = JSON.parse(
      readFileSync(inFolder('out', 'report.json'), 'utf8'),
    ) as OptimizeReport;
    expect(data.examples).toBe(IMAGES);
    expect(baseline.metric.name).toBe('map');
    expect(baseline.metric.value).toBeGreaterThan(0.6);
    expect(candidates.map(({ recipe }) => recipe)).toEqual([
      'float32',
      'w8a8-static',
      'w8a8-static-minmax',
      'w7a8-static',
    ]);
    for (const { metric, drop } of candidates) {
      expect(metric.low).toBeLessThan(metric.value);
      expect(metric.high).toBeGreaterThan(metric.value);
      expect(drop.value).toBeCloseTo(baseline.metric.value - metric.value, 12);
      expect(drop.value).toBeLessThan(0.05);
    }
    expect(candidates[0]?.drop.value).toBeCloseTo(0, 3);
    expect(made.stdout).toContain('mAP [95 %]');
  });
});

describe('edgewise run --image', () => {
  it('prints the boxes in pixels of the picture and draws them', async () => {
    const { images, annotations } = JSON.parse(readFileSync(inFolder('some.json'), 'utf8')) as Coco;
    const image = images.find(({ id }) => annotations.some(({ image_id: of }) => of === id));
    const drawn = inFolder('drawn.png');
    const args = ['--image', image?.file_name ?? '', '--annotate', drawn, '--json'];
    const { code, stdout } = await runCli('run', inFolder('out'), ...args);
    expect(code).toBe(0);
    const { boxes } = JSON.parse(stdout) as { boxes: { label: string; box: { x: number; width: number } }[] };
    expect(boxes.length).toBeGreaterThan(0);
    const { width } = await sharp(image?.file_name).metadata();
    for (const { box } of boxes) expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect((await sharp(drawn).metadata()).width).toBe(width);
    const [before, after] = await Promise.all(
      [image?.file_name ?? '', drawn].map((path) => sharp(path).removeAlpha().raw().toBuffer()),
    );
    expect(before?.equals(after ?? Buffer.of())).toBe(false);
  });

  it.each([
    ['boxes.txt', 'is no .png, .jpg or .webp file'],
    ['missing/boxes.png', 'there is no folder'],
  ])('refuses to draw into %s', async (file, message) => {
    const args = ['--image', 'a.png', '--annotate', inFolder(file)];
    const { code, stderr } = await runCli('run', inFolder('out'), ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(inFolder(file))).toBe(false);
  });
});

it('boxes that are not COCO are refused', async () => {
  writeFileSync(inFolder('odd.json'), '{"images": []}');
  const args = ['--task', 'object-detection', '--data', inFolder('odd.json'), '--out', inFolder('none')];
  const { code, stderr } = await runCli('optimize', MODEL, ...args);
  expect(stderr).toContain("odd.json: it has no list 'categories'");
  expect(code).toBe(1);
});
