import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import type { DetectedBox, RunnerInput } from '@edgewise/compiler';
import { LABEL_THRESHOLD, type Manifest } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { givenInput } from '../command/given-input.ts';
import { UsageError } from '../command/usage-error.ts';
import { comparesPairs } from '../examples/answer-kind.ts';
import type { RunOptions } from '../commands/run.ts';
import { findPackage } from '../files/find-package.ts';
import { annotateImage, type LabelledBox } from '../media/annotate-image.ts';
import {
  aboutFile,
  decodeInput,
  openTask,
  readPackageManifest,
  type OpenTask,
  type TaskAnswer,
} from '../measure/open-task.ts';
import { formatMs, formatPercent } from '../terminal/format.ts';
import { renderTable, type Column } from '../terminal/table.ts';

/** A detector's boxes below it are not shown, where the package does not say it. The runtime's own default. */
const SCORE_THRESHOLD = 0.25;

/** Labels of an image or a sound that are shown without --top; models of these have up to a thousand. */
const FILE_LABELS_SHOWN = 5;

/** Does what `edgewise run` says. */
export async function runAction(
  [path = '', text = '']: readonly string[],
  given: RunOptions,
  { terminal }: CommandContext,
): Promise<ExitCode> {
  const folder = findPackage(path);
  const manifest = await readPackageManifest(folder);
  const input = await inputFor(manifest, text, given);
  const prepared = await decodeInput(input, manifest.task);
  const task = await openTask(folder);
  try {
    const start = terminal.now();
    const answer = await aboutFile(input, task.answer(prepared));
    const ms = terminal.now() - start;
    const said = describeAnswer(task.manifest, answer, given);
    if ('file' in input && given.annotate !== undefined)
      await annotateImage(input.file, said.boxes ?? [], task.manifest.labels ?? [], given.annotate);
    if (given.json) terminal.data(`${JSON.stringify({ ...said.json, ms, engine: engineOf(task) })}\n`);
    else {
      terminal.data(said.table);
      terminal.message(`${terminal.messageColors.dim(`${formatMs(ms)}, ${engineText(task)}`)}\n`);
      if (given.annotate !== undefined) terminal.message(`Drawn: ${given.annotate}\n`);
      if (given.verbose) terminal.message(`${JSON.stringify(task.info, undefined, 2)}\n`);
    }
    return 0;
  } finally {
    task.close();
  }
}

/** What to run the package on; throws UsageError for what does not fit its task. */
async function inputFor({ task }: Manifest, text: string, given: RunOptions): Promise<RunnerInput> {
  const { taken, value } = givenInput(task, {
    text: { value: text === '' ? undefined : text, option: 'a text' },
    image: { value: given.image, option: '--image' },
    audio: { value: given.audio, option: '--audio' },
  });
  checkAnnotate(task, given.annotate);
  if (taken === 'text') return textInput(task, text, given.pair);
  if (value !== undefined) return imagesInput(task, value, given.pair);
  throw new UsageError(`--${taken} <file> is required by packages for ${task}.`);
}

async function textInput(task: string, given: string, pair: string | undefined): Promise<RunnerInput> {
  if (task === 'feature-extraction' && pair === undefined)
    throw new UsageError('--pair <text> is required: packages for feature-extraction compare two texts.');
  const text = given === '-' ? await readStandardInput() : given;
  if (text.trim() === '')
    throw new UsageError(
      'the text is empty.',
      "Give it after the package; '-' reads it from standard input.",
    );
  return pair === undefined ? { text } : { text, textPair: pair };
}

function imagesInput(task: string, file: string, pair: string | undefined): RunnerInput {
  if (comparesPairs(task) !== (pair !== undefined))
    throw new UsageError(
      pair === undefined
        ? `--pair <file> is required: packages for ${task} compare two images.`
        : `--pair does not fit: packages for ${task} take one file.`,
    );
  return pair === undefined ? { file } : { file, filePair: pair };
}

function checkAnnotate(task: string, file: string | undefined): void {
  if (file === undefined) return;
  if (task !== 'object-detection')
    throw new UsageError(`--annotate does not fit: packages for ${task} find no boxes.`);
  if (!/\.(?:png|jpe?g|webp)$/i.test(file))
    throw new UsageError(`--annotate: ${file} is no .png, .jpg or .webp file.`);
  if (!existsSync(dirname(file))) throw new UsageError(`--annotate: there is no folder ${dirname(file)}.`);
}

interface Said {
  readonly json: object;
  readonly table: string;
  readonly boxes?: readonly LabelledBox[];
}

function describeAnswer(manifest: Manifest, { scores, boxes }: TaskAnswer, { top }: RunOptions): Said {
  if (boxes) return describeBoxes(manifest, boxes);
  const named = nameScores(manifest, scores);
  const shown = named.slice(0, top ?? (manifest.tokenizer ? named.length : FILE_LABELS_SHOWN));
  const labels = manifest.multiLabel ? { labels: labelsThatHold(named) } : {};
  return { json: { ...labels, scores: shown }, table: scoreTable(shown, manifest) };
}

function describeBoxes({ labels = [], detection }: Manifest, found: readonly DetectedBox[]): Said {
  const threshold = detection?.scoreThreshold ?? SCORE_THRESHOLD;
  const boxes = found
    .filter(({ score }) => score >= threshold)
    .map(({ classIndex, score, box }) => ({ label: labels[classIndex] ?? '', score, box }));
  const columns: readonly Column[] = [
    { title: 'label' },
    ...['score', 'x', 'y', 'width', 'height'].map((title) => ({ title, align: 'right' as const })),
  ];
  const rows = boxes.map(({ label, score, box }) => [
    label,
    formatPercent(score),
    ...[box.x, box.y, box.width, box.height].map((pixels) => pixels.toFixed(0)),
  ]);
  const table = boxes.length === 0 ? 'Nothing found.\n' : renderTable(columns, rows);
  return { json: { boxes }, table, boxes };
}

interface NamedScore {
  readonly label: string;
  readonly score: number;
}

function nameScores(
  { task, labels = [task === 'voice-activity-detection' ? 'speech' : 'cosine'] }: Manifest,
  scores: readonly number[],
): readonly NamedScore[] {
  return scores
    .map((score, index) => ({ label: labels[index] ?? String(index), score }))
    .sort((a, b) => b.score - a.score);
}

function labelsThatHold(scores: readonly NamedScore[]): readonly string[] {
  return scores.filter(({ score }) => score > LABEL_THRESHOLD).map(({ label }) => label);
}

function scoreTable(scores: readonly NamedScore[], { task, multiLabel = false }: Manifest): string {
  const columns: readonly Column[] = [{ title: 'label' }, { title: 'score', align: 'right' }];
  const format = comparesPairs(task) ? (score: number) => score.toFixed(4) : formatPercent;
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
  const count = threads === 1 ? '1 thread' : `up to ${threads} threads`;
  return `${rung}${mode === undefined ? '' : ` (${mode})`}, ${count}`;
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
