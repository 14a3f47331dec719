import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { printModel, type InspectReport, type Model, type PassStep } from '@edgewise/compiler';
import { MANIFEST_FILE, type Manifest } from '@edgewise/runtime/format';
import type { CommandContext, ExitCode } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { InspectOptions } from '../commands/inspect.ts';
import { SITE_PACKAGE_FOLDER } from '../files/find-package.ts';
import { readOnnxFile } from '../files/read-onnx-file.ts';
import { simplifyModel } from '../optimize/pipelines/simplify-model.ts';
import { readPackageManifest } from '../measure/open-task.ts';
import { designOf, designText } from '../report/design-text.ts';
import { inspectUsual, usualBindings } from '../report/layer-costs.ts';
import { formatBytes, formatInterval, formatMs, formatPercent } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** Rows of the list of costly layers without --verbose. */
const LAYERS_SHOWN = 12;

/** Does what `edgewise inspect` says. */
export async function inspectAction(
  [path = '']: readonly string[],
  options: InspectOptions,
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  const { json, tokens, pixels, verbose } = options;
  const sizes = { tokens, pixels };
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  const folder = [path, join(path, SITE_PACKAGE_FOLDER)].find((each) =>
    existsSync(join(each, MANIFEST_FILE)),
  );
  if (folder !== undefined) {
    const manifest = await readPackageManifest(folder);
    terminal.data(json ? `${JSON.stringify(manifest, undefined, 2)}\n` : packageText(manifest));
    return 0;
  }
  const { model: read } = await readOnnxFile(onnxFileOf(path));
  const wantsPasses = options.simplify || options.stopAfter !== undefined;
  const simplified = wantsPasses
    ? await simplifyModel(read, { stopAfter: options.stopAfter, sizes, signal })
    : undefined;
  for (const { message } of simplified?.diagnostics ?? []) terminal.message(`! ${message}\n`);
  const model = simplified?.model ?? read;
  if (options.text) {
    terminal.data(printModel(model));
    return 0;
  }
  const report = inspectUsual(model, sizes);
  const design = designOf(model, report, usualBindings(model, sizes));
  const passes = simplified?.steps;
  if (json)
    terminal.data(`${JSON.stringify({ ...report, ...design, ...(passes && { passes }) }, undefined, 2)}\n`);
  else
    terminal.data(
      `${passes ? passesText(passes) : ''}${modelText(path, report, verbose)}${designText(design, verbose)}\nNext: edgewise optimize ${path}${takesTokens(model) ? '' : ' --task <task>'} --data <labelled examples> --out <folder>\n`,
    );
  return 0;
}

/** Whether it is a model of texts, which is what optimize takes it for by default. */
function takesTokens({ graph }: Model): boolean {
  return graph.inputs.some(({ type }) => type && 'dtype' in type && ['int32', 'int64'].includes(type.dtype));
}

function onnxFileOf(path: string): string {
  const file = statSync(path).isDirectory() ? join(path, 'model.onnx') : path;
  if (!existsSync(file)) throw new UsageError(`${path} has neither model.onnx nor ${MANIFEST_FILE}.`);
  return file;
}

function passesText(steps: readonly PassStep[]): string {
  const table = renderTable(
    [{ title: 'pass' }, { title: 'edits', align: 'right' }, { title: 'largest error', align: 'right' }],
    steps.map(({ name, edits, error, rolledBack }) => [
      name,
      rolledBack ? 'rolled back' : String(edits),
      edits === 0 ? '' : error.toExponential(1),
    ]),
  );
  return `${table}\n`;
}

function modelText(path: string, report: InspectReport, verbose: boolean): string {
  const opsets = Object.entries(report.opsets).map(
    ([domain, version]) => `${domain || 'ai.onnx'} ${version}`,
  );
  const values = (list: InspectReport['inputs']): string =>
    list
      .map(
        ({ name, dtype, shape }) =>
          `${name} ${dtype ?? '?'} [${shape?.map((dim) => dim ?? '?').join(', ') ?? '?'}]`,
      )
      .join('; ');
  const facts = renderTable(
    [{ title: path }, { title: '' }],
    [
      ['inputs', values(report.inputs)],
      ['outputs', values(report.outputs)],
      [
        'made by',
        [`${report.producer.name} ${report.producer.version}`.trim(), ...opsets].filter(Boolean).join(', '),
      ],
      ['parameters', `${report.parameters.toLocaleString('en')}, ${formatBytes(report.parameterBytes)}`],
      ['multiply-accumulates', `${millions(report.totals.macs)} with ${bindingText(report)}`],
    ],
  );
  const operators = renderTable(
    [{ title: 'operator' }, { title: 'count', align: 'right' }, { title: '' }],
    report.operators.map(({ name, count, known }) => [
      name,
      String(count),
      known ? '' : 'not known to Edgewise',
    ]),
  );
  const costly = report.nodes.filter(({ macs }) => (macs ?? 0) > 0);
  const shown = verbose
    ? report.nodes
    : costly.toSorted((a, b) => (b.macs ?? 0) - (a.macs ?? 0)).slice(0, LAYERS_SHOWN);
  const layers = renderTable(
    [
      { title: 'layer' },
      { title: 'operator' },
      { title: 'MACs', align: 'right' },
      { title: 'share', align: 'right' },
      { title: 'weights', align: 'right' },
      { title: 'output', align: 'right' },
    ],
    shown.map(({ name, operator, macs, macShare, parameterBytes, activationBytes }) => [
      name,
      operator,
      millions(macs),
      macShare === null ? '' : formatPercent(macShare),
      parameterBytes === 0 ? '' : formatBytes(parameterBytes),
      activationBytes === null ? '?' : formatBytes(activationBytes),
    ]),
  );
  return `${facts}\n${operators}\n${layers}\n`;
}

function bindingText({ bindings }: InspectReport): string {
  const bound = Object.entries(bindings).map(([name, size]) => `${name} ${size}`);
  return bound.length === 0 ? 'the fixed shapes' : bound.join(', ');
}

function millions(macs: number | null): string {
  return macs === null ? '?' : `${(macs / 1e6).toFixed(2)} M`;
}

function taskText({ task, labels, multiLabel = false }: Manifest): string {
  const names = labels ? `: ${labels.join(', ')}` : '';
  return `${task}${multiLabel ? ', several labels at once' : ''}${names}`;
}

function packageText(manifest: Manifest): string {
  const { model, proof } = manifest;
  const facts: [string, string][] = [
    ['task', taskText(manifest)],
    ['engine', model.kind === 'edge' ? 'WebAssembly program, relaxed and plain SIMD' : 'onnxruntime'],
  ];
  if (manifest.tokenizer) facts.push(['longest input', `${manifest.tokenizer.maxLength} tokens`]);
  if (model.kind === 'edge') {
    const { memory } = model;
    facts.push([
      'memory',
      `${formatBytes(memory.bytes)} for one thread, ${formatBytes(memory.perThreadBytes)} more for each other, up to ${memory.maxThreads}`,
    ]);
  }
  if (proof?.metric) {
    const { name, value: measured } = proof.metric;
    facts.push([name, `${formatPercent(measured)} ${formatInterval(proof.metric)}`]);
  }
  if (proof?.latencyMs)
    facts.push(['latency', `${formatMs(proof.latencyMs.p50)} / ${formatMs(proof.latencyMs.p95)}`]);
  if (proof?.downloadBytes !== undefined) facts.push(['download', formatBytes(proof.downloadBytes)]);
  if (proof?.machine !== undefined) facts.push(['measured on', proof.machine]);
  const files = Object.entries(manifest.files).map(([name, { bytes }]) => [name, formatBytes(bytes)]);
  return `${renderTable([{ title: manifest.name }, { title: '' }], facts)}\n${renderTable([{ title: 'file' }, { title: 'size', align: 'right' }], files)}`;
}
