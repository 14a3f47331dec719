import {
  evaluateCandidate,
  sameAnswer,
  type AnswerKind,
  type EvaluateOptions,
  type Evaluation,
  type GoldExample,
} from '@edgewise/compiler';
import type { Manifest } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { takes } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import type { CompareOptions } from '../commands/compare.ts';
import { answerKind, comparesPairs, metricFor } from '../examples/answer-kind.ts';
import { readMediaExamples } from '../examples/read-media-examples.ts';
import { readDataFile, textExamples } from '../examples/read-text-examples.ts';
import { findPackage } from '../files/find-package.ts';
import { IMAGES, SOUNDS } from '../files/media.ts';
import { nodeRunner } from '../measure/node-runner.ts';
import { readPackageManifest } from '../measure/open-task.ts';
import { metricTitle } from '../report/metric-title.ts';
import { formatInterval, formatMs, formatPercent, formatPoints } from '../terminal/format.ts';
import { createProgress } from '../terminal/progress.ts';
import { renderTable } from '../terminal/table.ts';

/** Does what `edgewise compare` says. */
export async function compareAction(
  [pathA = '', pathB = '']: readonly string[],
  given: CompareOptions,
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  const [folderA, folderB] = [findPackage(pathA), findPackage(pathB)];
  const manifest = await readPackageManifest(folderA);
  const other = await readPackageManifest(folderB);
  if (whatFor(manifest) !== whatFor(other))
    throw new UsageError(`${pathA} is for ${whatFor(manifest)}, ${pathB} for ${whatFor(other)}.`);
  const kind = answerKind(manifest.task, manifest.multiLabel);
  const metric = metricFor(manifest.task, kind, given.metric);
  const examples = await examplesFor(manifest, given.data, kind);
  const progress = createProgress(terminal);
  const evaluate = (path: string, folder: string, baseline?: Evaluation): Promise<Evaluation> => {
    progress.stage(path);
    return evaluatePackage(folder, {
      examples,
      kind,
      metric,
      ...(baseline ? { baseline: baseline.predictions } : {}),
      signal,
      onProgress: (done, total) => progress.update(`${done} of ${total} examples`),
    });
  };
  const a = await evaluate(pathA, folderA);
  const b = await evaluate(pathB, folderB, a);
  progress.done();
  const agreement = shareOfSame(a, b);
  if (given.json) terminal.data(`${JSON.stringify(summary(a, b, agreement), undefined, 2)}\n`);
  else terminal.data(comparison([pathA, pathB], [a, b], agreement));
  return 0;
}

async function examplesFor(
  { task, labels = [] }: Manifest,
  path: string,
  kind: AnswerKind,
): Promise<readonly GoldExample[]> {
  if (takes(task, 'image'))
    return readMediaExamples(path, { media: IMAGES, kind, labels, pairs: comparesPairs(task) });
  if (takes(task, 'audio')) return readMediaExamples(path, { media: SOUNDS, kind, labels });
  return textExamples(await readDataFile(path), kind, labels);
}

/** Packages with one such text can be compared on the same examples. */
function whatFor({ task, labels, multiLabel = false }: Manifest): string {
  const names = labels ? ` (${labels.join(', ')})` : '';
  return `${task}${multiLabel ? ' with several labels at once' : ''}${names}`;
}

type HowToEvaluate = Omit<EvaluateOptions<string>, 'runner' | 'artifact' | 'downloadBytes'>;

function evaluatePackage(folder: string, how: HowToEvaluate): Promise<Evaluation> {
  const downloadBytes = { raw: 0, brotli: 0 }; // not compared here
  return evaluateCandidate({ runner: nodeRunner('Node'), artifact: folder, downloadBytes, ...how });
}

function shareOfSame({ predictions: a }: Evaluation, { predictions: b }: Evaluation): number {
  return a.filter((answer, i) => sameAnswer(answer, b[i])).length / a.length;
}

function summary(a: Evaluation, b: Evaluation, agreement: number): object {
  const facts = ({ metric, latencyMs, peakMemoryBytes }: Evaluation): object => ({
    metric,
    latencyMs,
    peakMemoryBytes,
  });
  return { examples: a.examples, a: facts(a), b: facts(b), drop: b.drop, agreement };
}

function comparison(paths: readonly string[], evaluations: readonly Evaluation[], agreement: number): string {
  const [, b] = evaluations;
  const rows = evaluations.map(({ metric, latencyMs }, i) => [
    paths[i] ?? '',
    `${formatPercent(metric.value)} ${formatInterval(metric)}`,
    `${formatMs(latencyMs.p50)} / ${formatMs(latencyMs.p95)}`,
  ]);
  const table = renderTable(
    [
      { title: 'package' },
      { title: `${metricTitle(b?.metric.name ?? '')} [95 %]`, align: 'right' },
      { title: 'p50 / p95', align: 'right' },
    ],
    rows,
  );
  const { value: drop = 0, low = 0, high = 0 } = b?.drop ?? {};
  return `${table}\nChange from the first to the second: ${formatPoints(-drop)} points, 95 % interval ${formatPoints(-high)} to ${formatPoints(-low)}; ${formatPercent(agreement)} same answers on ${b?.examples ?? 0} examples.\n`;
}
