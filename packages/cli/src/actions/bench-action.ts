import process from 'node:process';
import type { RunnerInput } from '@edgewise/compiler';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { givenInput } from '../command/given-input.ts';
import { taskNamed } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import type { BenchOptions } from '../commands/bench.ts';
import { readDataFile } from '../examples/read-text-examples.ts';
import { readCalibrationFiles } from '../examples/read-calibration-files.ts';
import { findPackage } from '../files/find-package.ts';
import { IMAGES, SOUNDS, type Media } from '../files/media.ts';
import { withTemporaryFolder } from '../files/temporary-folder.ts';
import { noiseImage, noiseSound } from '../media/noise.ts';
import { benchPackage, type BenchResult } from '../measure/bench-package.ts';
import { openBrowser } from '../measure/browser-runner.ts';
import { nodeRunner } from '../measure/node-runner.ts';
import { readPackageManifest } from '../measure/open-task.ts';
import { runtimeFiles } from '../site/runtime-files.ts';
import { formatBytes, formatMs } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

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
  const { taken, value } = givenInput(task, {
    text: { value: given.text, option: '--text' },
    image: { value: given.image, option: '--image' },
    audio: { value: given.audio, option: '--audio' },
  });
  if (value !== undefined && given.data !== undefined)
    throw new UsageError(`--${taken} and --data exclude each other.`);
  switch (taken) {
    case 'text':
      return textsOf(given);
    case 'image':
      return filesOf(IMAGES, given.data, async () => value ?? noiseImage(temporary));
    case 'audio':
      return filesOf(SOUNDS, given.data, async () => value ?? noiseSound(temporary));
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
