import type { SearchResult } from '@edgewise/compiler';
import type { TaskName } from '../../command/task-names.ts';
import { brotli, gzipped } from '../../files/compressed-size.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { OptimizeReport } from '../../report/optimize-report.ts';
import { reportHtml } from '../../report/report-html.ts';
import { siteFiles } from '../../site/site-files.ts';
import type { CandidateBuilder } from '../candidates/candidate-builder.ts';
import type { Subject } from '../subjects/subject.ts';

/** Below this a compressed copy saves less than a request's header. */
const COMPRESS_FROM_BYTES = 1000;

/** Compressed by themselves. */
const COMPRESSED = /\.jpg$/;

interface OutputParts {
  readonly report: OptimizeReport;
  readonly result: SearchResult<unknown>;
  readonly builder: CandidateBuilder;
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly task: TaskName;
  readonly subject: Subject;
  readonly target: 'web' | 'node';
}

/** Everything `optimize` writes, by relative path: the report, and when the budget is met the package or the site. */
export async function outputFiles(parts: OutputParts): Promise<Map<string, Uint8Array | string>> {
  const { report, target } = parts;
  const page = reportHtml(report);
  const files = new Map<string, Uint8Array | string>([
    ['report.json', `${JSON.stringify(report, undefined, 2)}\n`],
    ['report.html', page],
  ]);
  if (report.chosen === null) return files;
  const packageFiles = await finishedPackage(parts);
  if (target === 'node') {
    for (const [name, bytes] of packageFiles) files.set(name, bytes);
    return files;
  }
  const site = await siteFiles({
    task: parts.task,
    name: report.model.name,
    packageFiles,
    runtime: parts.runtime,
    reportHtml: page,
    ...(await parts.subject.offer()),
  });
  return withCompressed(new Map([...files, ...site]));
}

async function finishedPackage({ report, result, builder }: OutputParts): Promise<PackageFiles> {
  const chosen = result.candidates.find(({ recipe }) => recipe.name === report.chosen);
  if (!chosen) throw new Error(`outputFiles: ${report.chosen} is no candidate.`);
  const { downloadBytes, latencyMs, peakMemoryBytes, metric, drop } = chosen.evaluation;
  return builder.finish(chosen.recipe, report.budget, {
    machine: `${report.machine.cpu}, ${chosen.evaluation.runner}`,
    downloadBytes: downloadBytes.brotli,
    latencyMs,
    peakMemoryBytes,
    metric,
    drop,
  });
}

/** Adds the compressed copies that static hosts send where a browser accepts them. */
async function withCompressed(
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<Map<string, Uint8Array | string>> {
  const all = new Map(files);
  await Promise.all(
    [...files].map(async ([path, content]) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      if (bytes.length < COMPRESS_FROM_BYTES || COMPRESSED.test(path)) return;
      all.set(`${path}.br`, await brotli(bytes));
      all.set(`${path}.gz`, await gzipped(bytes));
    }),
  );
  return all;
}
