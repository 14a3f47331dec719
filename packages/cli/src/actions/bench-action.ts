import process from 'node:process';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { BenchOptions } from '../commands/bench.ts';
import { findPackage } from '../files/find-package.ts';
import { readDataFile } from '../files/read-data.ts';
import { benchPackage, type BenchResult } from '../measure/bench-package.ts';
import { openBrowser } from '../measure/browser-runner.ts';
import { nodeRunner } from '../measure/node-runner.ts';
import { readPackageManifest, TASKS } from '../measure/open-task.ts';
import { runtimeFiles } from '../site/runtime-files.ts';
import { formatBytes, formatMs } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** 23 tokens with most tokenizers: about a sentence. */
const SENTENCE =
  'It starts slowly, but by the time the two sisters finally talk, the film has earned every one of its quiet tears.';

/** Does what `edgewise bench` says. */
export async function benchAction(
  [path = '']: readonly string[],
  given: BenchOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const folder = findPackage(path);
  const texts = await textsOf(given);
  const common = { folder, texts, runs: given.runs, signal: context.signal };
  const node = nodeRunner(`Node ${process.versions.node}`);
  const results = [await benchPackage({ ...common, runner: node })];
  if (given.browser) results.push(await inBrowser(common, context));
  if (given.json) context.terminal.data(`${JSON.stringify(results, undefined, 2)}\n`);
  else context.terminal.data(resultTable(results));
  return 0;
}

async function textsOf({ text, data }: BenchOptions): Promise<readonly string[]> {
  if (text !== undefined && data !== undefined) throw new UsageError('--text and --data exclude each other.');
  return data === undefined
    ? [text ?? SENTENCE]
    : (await readDataFile(data)).examples.map((each) => each.text);
}

async function inBrowser(
  options: Omit<Parameters<typeof benchPackage>[0], 'runner'>,
  { signal }: CommandContext,
): Promise<BenchResult> {
  const { task } = await readPackageManifest(options.folder);
  const known = TASKS.find((name) => name === task);
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
