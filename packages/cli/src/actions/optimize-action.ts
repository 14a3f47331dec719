import type { Model, Recipe } from '@edgewise/compiler';
import type { Budget } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { takes, type TaskName } from '../command/task-names.ts';
import type { OptimizeOptions } from '../commands/optimize.ts';
import { withTemporaryFolder } from '../files/temporary-folder.ts';
import { checkOutputFolder, writeFolder } from '../files/write-folder.ts';
import { candidateBuilder } from '../optimize/candidates/candidate-builder.ts';
import { candidateTable } from '../optimize/results/candidate-table.ts';
import { mixedNotes } from '../optimize/results/mixed-notes.ts';
import type { Sensitivity, Work } from '../optimize/pipelines/pipeline.ts';
import { dropMeasurer } from '../optimize/candidates/drop-measurer.ts';
import { createReport } from '../optimize/results/create-report.ts';
import { makeCompact } from '../optimize/candidates/make-compact.ts';
import { measurementNotes } from '../optimize/results/measurement-notes.ts';
import { openRunners, type OpenRunners } from '../optimize/candidates/open-runners.ts';
import { settleLength } from '../optimize/length/settle-length.ts';
import { outputFiles } from '../optimize/results/output-files.ts';
import { readImageSubject } from '../optimize/subjects/read-image-subject.ts';
import { readSoundSubject } from '../optimize/subjects/read-sound-subject.ts';
import { readTextSubject } from '../optimize/subjects/read-text-subject.ts';
import { runSearch } from '../optimize/candidates/run-search.ts';
import type { Subject } from '../optimize/subjects/subject.ts';
import { layerCosts } from '../report/layer-costs.ts';
import { limitText } from '../report/limit-text.ts';
import type { LengthReport, OptimizeReport } from '../report/optimize-report.ts';
import { reuseText } from '../report/reuse-text.ts';
import { runtimeFiles } from '../site/runtime-files.ts';
import { formatBytes } from '../terminal/format.ts';
import { createProgress } from '../terminal/progress.ts';

/** Does what `edgewise optimize` says. */
export function optimizeAction(
  [model = '']: readonly string[],
  given: OptimizeOptions,
  context: CommandContext,
): Promise<ExitCode> {
  return withTemporaryFolder((folder) => optimizeModel(model, given, context, folder));
}

async function optimizeModel(
  path: string,
  given: OptimizeOptions,
  { terminal, signal }: CommandContext,
  temporary: string,
): Promise<ExitCode> {
  checkOutputFolder(given.out);
  const progress = createProgress(terminal);
  const work = { progress, signal };
  progress.stage('read model and data');
  const subject = await readSubject(path, given);
  progress.done(`${formatBytes(subject.onnx.length)}, ${subject.examples.length} examples`);
  const compact = await makeCompact(subject, work);
  const runtime = await runtimeFiles(given.task);
  const runners = await openRunners({ target: given.target, runtime, ...work });
  try {
    const { report, remarks, files } = await search({
      given,
      subject,
      compact,
      runtime,
      runners,
      temporary,
      ...work,
    });
    progress.stage(`write ${given.out}`);
    await writeFolder(given.out, await files(), signal);
    progress.done();
    if (given.json) terminal.data(`${JSON.stringify(report, undefined, 2)}\n`);
    else
      terminal.data(
        `\n${candidateTable(report, terminal.dataColors)}\n${remarks.map((remark) => `${remark}\n\n`).join('')}${lastLines(report, given)}`,
      );
    return report.chosen === null ? 1 : 0;
  } finally {
    await runners.close();
  }
}

interface SearchParts extends Work {
  readonly given: OptimizeOptions;
  readonly subject: Subject;
  readonly compact: Model;
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly runners: OpenRunners;
  readonly temporary: string;
}

interface Found {
  readonly report: OptimizeReport;
  /** What people should know of it beside the table. */
  readonly remarks: readonly string[];
  /** What is to be written. */
  readonly files: () => Promise<ReadonlyMap<string, Uint8Array | string>>;
}

async function search({
  given,
  compact,
  runtime,
  runners,
  temporary,
  ...parts
}: SearchParts): Promise<Found> {
  const { progress, signal } = parts;
  const { task, target } = given;
  const budget = budgetOf(given);
  const { subject, length } = await settleLength({
    subject: parts.subject,
    compact,
    runner: runners.candidate,
    budget,
    temporary,
    progress,
    signal,
  });
  const builder = await candidateBuilder({ ...subject, compact, progress, signal });
  // A run over all examples for each layer: only where it was asked for.
  const float = subject.pipeline.recipes.find(({ name }) => name === 'float32');
  const dropOf =
    given.sensitivity && float
      ? dropMeasurer({
          ...subject,
          float: () => builder.build(float),
          temporary,
          signal,
        })
      : undefined;
  const measured: { sensitivity?: Sensitivity } = {};
  const measureSensitivity = async (recipe?: Recipe): Promise<Sensitivity | undefined> => {
    const sensitivity = measured.sensitivity ?? (await builder.sensitivity({ recipe, dropOf }));
    if (sensitivity) measured.sensitivity = sensitivity;
    return sensitivity;
  };
  const result = await runSearch({
    ...subject,
    recipes: subject.pipeline.recipes,
    builder,
    sensitivity: measureSensitivity,
    budget,
    runtime,
    runners,
    cacheFolder: given.cache,
    fresh: given.fresh,
    temporary,
    progress,
    signal,
  });
  if (given.sensitivity && (await measureSensitivity()) === undefined)
    progress.warn(
      'Sensitivity was not measured: it needs --calibration, and a text, image or convolutional sound model.',
    );
  const { browser, machine } = runners;
  const mixed = mixedNotes(result.mixed);
  const report = createReport(result, {
    date: new Date().toISOString(),
    machine,
    model: { name: subject.name, bytes: subject.onnx.length },
    task,
    target,
    data: { name: given.data, examples: subject.examples.length },
    budget,
    layers: layerCosts(subject.model, subject.sizes),
    notes: [
      ...subject.notes,
      ...builder.notes(),
      ...mixed,
      ...measurementNotes({ ...subject, task, target, browser }),
    ],
    ...(length && { length }),
    ...measured,
  });
  return {
    report,
    remarks: [...lengthRemarks(length), ...mixed],
    files: () => outputFiles({ report, result, builder, runtime, task, subject, target }),
  };
}

/** Why texts are cut, or why that would not help, where there is more to say than that none is. */
function lengthRemarks(length: LengthReport | undefined): readonly string[] {
  if (length === undefined || (length.truncated === 0 && length.reasons.length === 1)) return [];
  return [length.reasons.join(' ')];
}

function readSubject(path: string, { task, ...given }: OptimizeOptions): Promise<Subject> {
  if (takes(task, 'image')) return readImageSubject(path, { ...given, task });
  if (takes(task, 'audio')) return readSoundSubject(path, { ...given, task });
  return readTextSubject(path, { ...given, task });
}

function budgetOf({ maxSize, maxLatency, maxLatencyP95, maxMemory, maxDrop }: OptimizeOptions): Budget {
  const latencyMs = {
    ...(maxLatency === undefined ? {} : { p50: maxLatency }),
    ...(maxLatencyP95 === undefined ? {} : { p95: maxLatencyP95 }),
  };
  return {
    ...(maxSize === undefined ? {} : { downloadBytes: maxSize }),
    ...(Object.keys(latencyMs).length === 0 ? {} : { latencyMs }),
    ...(maxMemory === undefined ? {} : { peakMemoryBytes: maxMemory }),
    ...(maxDrop === undefined ? {} : { drop: maxDrop }),
  };
}

const SOME_INPUT: Readonly<Record<TaskName, string>> = {
  'text-classification': '"some text"',
  'feature-extraction': '"some text" --pair "another text"',
  'image-feature-extraction': '--image one.jpg --pair another.jpg',
  'image-classification': '--image photo.jpg',
  'object-detection': '--image photo.jpg --annotate boxes.png',
  'audio-classification': '--audio clip.wav',
  'voice-activity-detection': '--audio clip.wav',
};

function lastLines(report: OptimizeReport, given: OptimizeOptions): string {
  const reused = reuseText(report);
  return `${reused ? `${reused}\n\n` : ''}${verdictLines(report, given)}`;
}

function verdictLines(report: OptimizeReport, { task, out, target }: OptimizeOptions): string {
  if (report.chosen === null) {
    const relax = report.relax.map(limitText).join(' and ');
    return `No candidate meets the budget. Nearest: ${report.nearest}; it would do with ${relax}.\n${out} has the report and no package.\n`;
  }
  const chosen = report.candidates.find(({ recipe }) => recipe === report.chosen);
  const sizes = `${formatBytes(report.baseline.downloadBytes.brotli)} → ${formatBytes(chosen?.downloadBytes.brotli ?? 0)}`;
  const next = target === 'web' ? `edgewise serve ${out}` : `edgewise run ${out} ${SOME_INPUT[task]}`;
  return `${report.reasons.join(' ')}\n${sizes} compressed. Report: ${out}/report.html\n\nNext: ${next}\n`;
}
