import { join } from 'node:path';
import { listRecipes } from '@edgewise/compiler';
import type { Budget } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { OptimizeOptions } from '../commands/optimize.ts';
import { answerKind, goldExamples, metricFor, readDataFile } from '../files/read-data.ts';
import { readModelFolder, type ModelFolder } from '../files/read-model-folder.ts';
import { readOnnxFile } from '../files/read-onnx-file.ts';
import { withTemporaryFolder } from '../files/temporary-folder.ts';
import { checkOutputFolder, writeFolder } from '../files/write-folder.ts';
import { candidateBuilder } from '../optimize/candidate-builder.ts';
import { candidateTable } from '../optimize/candidate-table.ts';
import { createReport } from '../optimize/create-report.ts';
import { describePackage, tokenizerFiles } from '../optimize/describe-package.ts';
import { outputFiles } from '../optimize/output-files.ts';
import { runSearch } from '../optimize/run-search.ts';
import { layerCosts } from '../report/layer-costs.ts';
import { limitText } from '../report/limit-text.ts';
import type { OptimizeReport } from '../report/optimize-report.ts';
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
  progress.stage('read model and data');
  const folder = await readModelFolder(path);
  if (given.task === 'text-classification') checkLabels(folder);
  const data = await readDataFile(given.data);
  const kind = answerKind(given.task, folder.multiLabel);
  const metric = metricFor(kind, given.metric);
  const examples = goldExamples(data, kind, folder.labels);
  const calibration = given.calibration === undefined ? [] : (await readDataFile(given.calibration)).examples;
  const { model, bytes: onnx } = await readOnnxFile(folder.onnxPath);
  const maxTokens = Math.min(given.maxTokens ?? Infinity, folder.maxTokens);
  if (given.maxTokens !== undefined && given.maxTokens > folder.maxTokens)
    throw new UsageError(
      `--max-tokens ${given.maxTokens} is more than the model's own limit of ${folder.maxTokens}.`,
    );
  const budget = budgetOf(given);
  progress.done(`${formatBytes(onnx.length)}, ${examples.length} examples`);

  const builder = await candidateBuilder({
    model,
    onnx,
    description: describePackage(folder, given.task, maxTokens),
    tokenizer: tokenizerFiles(folder),
    maxTokens,
    calibration: calibration.map(({ text }) => text),
    sentences: examples.map(({ text }) => text),
    signal,
    progress,
  });
  const runtime = await runtimeFiles(given.task);
  const { result, machine, notes } = await runSearch({
    recipes: listRecipes({ calibrated: calibration.length > 0 }),
    builder,
    budget,
    examples,
    kind,
    metric,
    runtime,
    target: given.target,
    cacheFolder: given.cache,
    fresh: given.fresh,
    temporary,
    signal,
    progress,
  });
  const report = createReport(result, {
    date: new Date().toISOString(),
    machine,
    model: { name: folder.name, bytes: onnx.length },
    task: given.task,
    target: given.target,
    data: { name: data.name, examples: examples.length },
    budget,
    layers: layerCosts(model),
    notes,
  });
  progress.stage(`write ${given.out}`);
  const { task, target } = given;
  const files = await outputFiles({ report, result, builder, runtime, task, examples, target });
  await writeFolder(given.out, files, signal);
  progress.done();
  if (given.json) terminal.data(`${JSON.stringify(report, undefined, 2)}\n`);
  else terminal.data(`\n${candidateTable(report, terminal.dataColors)}\n${lastLines(report, given)}`);
  return report.chosen === null ? 1 : 0;
}

function checkLabels({ path, labels }: ModelFolder): void {
  if (labels.length > 0) return;
  throw new UsageError(
    `${join(path, 'config.json')} has no id2label.`,
    'text-classification needs the names of the labels: "id2label": { "0": "NEGATIVE", "1": "POSITIVE" }, say. For sentence embeddings use --task feature-extraction.',
  );
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
  const pair = task === 'feature-extraction' ? ' --pair "another text"' : '';
  const next = target === 'web' ? `edgewise serve ${out}` : `edgewise run ${out} "some text"${pair}`;
  return `${report.reasons.join(' ')}\n${sizes} compressed. Report: ${out}/report.html\n\nNext: ${next}\n`;
}
