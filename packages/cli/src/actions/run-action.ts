import process from 'node:process';
import { LABEL_THRESHOLD, type Manifest } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { RunOptions } from '../commands/run.ts';
import { findPackage } from '../files/find-package.ts';
import { openTask, readPackageManifest, type OpenTask } from '../measure/open-task.ts';
import { formatMs, formatPercent } from '../terminal/format.ts';
import { renderTable, type Column } from '../terminal/table.ts';

/** Does what `edgewise run` says. */
export async function runAction(
  [path = '', given = '']: readonly string[],
  { pair, json, verbose }: RunOptions,
  { terminal }: CommandContext,
): Promise<ExitCode> {
  const folder = findPackage(path);
  const { task: taskName } = await readPackageManifest(folder);
  if (taskName === 'feature-extraction' && pair === undefined)
    throw new UsageError('--pair <text> is required: packages for feature-extraction compare two texts.');
  const text = given === '-' ? await readStandardInput() : given;
  if (text.trim() === '') throw new UsageError('the text is empty.');
  const task = await openTask(folder);
  try {
    const start = terminal.now();
    const scores = await task.score(pair === undefined ? { text } : { text, textPair: pair });
    const ms = terminal.now() - start;
    const named = nameScores(task, scores);
    const labels = task.manifest.multiLabel ? { labels: labelsThatHold(named) } : {};
    if (json) terminal.data(`${JSON.stringify({ ...labels, scores: named, ms, engine: engineOf(task) })}\n`);
    else {
      terminal.data(scoreTable(named, task.manifest));
      terminal.message(`${terminal.messageColors.dim(`${formatMs(ms)}, ${engineText(task)}`)}\n`);
      if (verbose) terminal.message(`${JSON.stringify(task.info, undefined, 2)}\n`);
    }
    return 0;
  } finally {
    task.close();
  }
}

interface NamedScore {
  readonly label: string;
  readonly score: number;
}

function nameScores({ manifest }: OpenTask, scores: readonly number[]): readonly NamedScore[] {
  const labels = manifest.labels ?? ['cosine'];
  return scores
    .map((score, index) => ({ label: labels[index] ?? String(index), score }))
    .sort((a, b) => b.score - a.score);
}

function labelsThatHold(scores: readonly NamedScore[]): readonly string[] {
  return scores.filter(({ score }) => score > LABEL_THRESHOLD).map(({ label }) => label);
}

function scoreTable(scores: readonly NamedScore[], { task, multiLabel = false }: Manifest): string {
  const columns: readonly Column[] = [{ title: 'label' }, { title: 'score', align: 'right' }];
  const format = task === 'feature-extraction' ? (score: number) => score.toFixed(4) : formatPercent;
  const rows = scores.map(({ label, score }) => [label, format(score)]);
  if (!multiLabel) return renderTable(columns, rows);
  const holds = new Set(labelsThatHold(scores));
  return renderTable(
    [...columns, { title: 'holds' }],
    rows.map(([label = '', score = '']) => [label, score, holds.has(label) ? 'yes' : 'no']),
  );
}

function engineOf({ info }: OpenTask): object {
  const { rung, mode, threads, memoryBytes } = info;
  return { rung, ...(mode === undefined ? {} : { mode }), threads, memoryBytes };
}

function engineText({ info: { rung, mode, threads } }: OpenTask): string {
  return `${rung}${mode === undefined ? '' : ` (${mode})`}, up to ${threads} thread${threads === 1 ? '' : 's'}`;
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
