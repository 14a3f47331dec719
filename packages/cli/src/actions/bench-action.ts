import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { RunnerInput } from '@edgewise/compiler';
import sharp from 'sharp';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { takenBy, taskNamed } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import type { BenchOptions } from '../commands/bench.ts';
import { readDataFile } from '../examples/read-text-examples.ts';
import { readCalibrationFiles } from '../examples/read-calibration-files.ts';
import { findPackage } from '../files/find-package.ts';
import { IMAGES, SOUNDS, type Media } from '../files/media.ts';
import { withTemporaryFolder } from '../files/temporary-folder.ts';
import { WaveFile } from '../media/wave-file.ts';
import { benchPackage, type BenchResult } from '../measure/bench-package.ts';
import { openBrowser } from '../measure/browser-runner.ts';
import { nodeRunner } from '../measure/node-runner.ts';
import { readPackageManifest } from '../measure/open-task.ts';
import { runtimeFiles } from '../site/runtime-files.ts';
import { formatBytes, formatMs } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** Pixels of the image that is run by default: a camera's usual one. */
const IMAGE_SIZE = { width: 640, height: 480 };

/** Samples per second. */
const SOUND_RATE = 16_000;

/** 23 tokens with most tokenizers: about a sentence. */
const SENTENCE =
  'It starts slowly, but by the time the two sisters finally talk, the film has earned every one of its quiet tears.';

/** Does what `edgewise bench` says. */
export function benchAction(
  [path = '']: readonly string[],
  given: BenchOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return withTemporaryFolder((folder) => bench(findPackage(path), given, context, folder));
}

async function bench(
  folder: string,
  given: BenchOptions,
  context: CommandContext,
  temporary: string,
): Promise<ExitCode> {
  const { task } = await readPackageManifest(folder);
  const inputs = await inputsOf(task, given, temporary);
  const common = { folder, inputs, runs: given.runs, signal: context.signal };
  const node = nodeRunner(`Node ${process.versions.node}`);
  const results = [await benchPackage({ ...common, runner: node })];
  if (given.browser) results.push(await inBrowser(task, common, context));
  if (given.json) context.terminal.data(`${JSON.stringify(results, undefined, 2)}\n`);
  else context.terminal.data(resultTable(results));
  return 0;
}

function inputsOf(task: string, given: BenchOptions, temporary: string): Promise<readonly RunnerInput[]> {
  const { text, image, audio, data } = given;
  const own = { text, image, sound: audio };
  const taken = takenBy(taskNamed(task) ?? 'text-classification');
  const other = (Object.keys(own) as (keyof typeof own)[]).find(
    (name) => name !== taken && own[name] !== undefined,
  );
  if (other)
    throw new UsageError(
      `--${other === 'sound' ? 'audio' : other} does not fit: packages for ${task} take a ${taken}.`,
    );
  if (own[taken] !== undefined && data !== undefined)
    throw new UsageError(`--${taken === 'sound' ? 'audio' : taken} and --data exclude each other.`);
  switch (taken) {
    case 'text':
      return textsOf(given);
    case 'image':
      return filesOf(IMAGES, data, () => Promise.resolve(image ?? noiseImage(temporary)));
    case 'sound':
      return filesOf(SOUNDS, data, () => Promise.resolve(audio ?? noiseSound(temporary)));
  }
}

async function textsOf({ text, data }: BenchOptions): Promise<readonly RunnerInput[]> {
  if (data === undefined) return [{ text: text ?? SENTENCE }];
  return (await readDataFile(data)).examples.map((example) => ({ text: example.text }));
}

async function filesOf(
  media: Media,
  data: string | undefined,
  one: () => Promise<string>,
): Promise<readonly RunnerInput[]> {
  const paths = data === undefined ? [await one()] : await readCalibrationFiles(data, media);
  return paths.map((file) => ({ file }));
}

/** What is seen does not change how long it takes, its size does. */
async function noiseImage(folder: string): Promise<string> {
  const path = join(folder, 'noise.png');
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 48 };
  await sharp({ create: { ...IMAGE_SIZE, channels: 3, noise, background: 'black' } }).toFile(path);
  return path;
}

/** The same of what is heard: a second at the rate of most models. */
async function noiseSound(folder: string): Promise<string> {
  const path = join(folder, 'noise.wav');
  const wav = new WaveFile();
  wav.fromScratch(
    1,
    SOUND_RATE,
    '32f',
    Float32Array.from({ length: SOUND_RATE }, () => Math.random() - 0.5),
  );
  await writeFile(path, wav.toBuffer());
  return path;
}

async function inBrowser(
  task: string,
  options: Omit<Parameters<typeof benchPackage>[0], 'runner'>,
  { signal }: CommandContext,
): Promise<BenchResult> {
  const known = taskNamed(task);
  if (!known) throw new UsageError(`packages for ${task} cannot be run in a browser here.`);
  const browser = await openBrowser({ runtime: await runtimeFiles(known), signal });
  if ('missing' in browser) throw new UsageError(`--browser: ${browser.missing}.`);
  try {
    return await benchPackage({ ...options, runner: { ...browser.runner, name: browser.version } });
  } finally {
    await browser.close();
  }
}

function resultTable(results: readonly BenchResult[]): string {
  return renderTable(
    [
      { title: 'where' },
      { title: 'runs', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p95', align: 'right' },
      { title: 'load', align: 'right' },
      { title: 'first run', align: 'right' },
      { title: 'memory', align: 'right' },
    ],
    results.map(({ runner, runs, latencyMs, loadMs, firstMs, peakMemoryBytes }) => [
      runner,
      String(runs),
      formatMs(latencyMs.p50),
      formatMs(latencyMs.p95),
      formatMs(loadMs),
      formatMs(firstMs),
      formatBytes(peakMemoryBytes),
    ]),
  );
}
