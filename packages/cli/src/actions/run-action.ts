import process from 'node:process';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { RunOptions } from '../commands/run.ts';
import { findPackage } from '../files/find-package.ts';
import { openTask, type OpenTask } from '../measure/open-task.ts';
import { formatMs, formatPercent } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** Does what `edgewise run` says. */
export async function runAction(
  [path = '', given = '']: readonly string[],
  { pair, json, verbose }: RunOptions,
  { terminal }: CommandContext,
): Promise<ExitCode> {
  const folder = findPackage(path);
  const text = given === '-' ? await readStandardInput() : given;
  if (text.trim() === '') throw new UsageError('the text is empty.');
  const task = await openTask(folder);
  try {
    const start = terminal.now();
    const scores = await task.score(pair === undefined ? { text } : { text, textPair: pair });
    const ms = terminal.now() - start;
    const named = nameScores(task, scores);
    if (json) terminal.data(`${JSON.stringify({ scores: named, ms, engine: engineOf(task) })}\n`);
    else {
      terminal.data(renderTable([{ title: 'label' }, { title: 'score', align: 'right' }], tableRows(named)));
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

function tableRows(scores: readonly NamedScore[]): string[][] {
  return scores.map(({ label, score }) => [
    label,
    label === 'cosine' ? score.toFixed(4) : formatPercent(score),
  ]);
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
