import type { GoldExample, SearchResult } from '@edgewise/compiler';
import { brotli, gzipped } from '../files/compressed-size.ts';
import { SITE_PACKAGE_FOLDER } from '../files/find-package.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import type { OptimizeReport } from '../report/optimize-report.ts';
import { reportHtml } from '../report/report-html.ts';
import { siteFiles } from '../site/site-files.ts';
import type { CandidateBuilder } from './candidate-builder.ts';
import { examplesToTry } from './examples-to-try.ts';

/** Below this a compressed copy saves less than a request's header. */
const COMPRESS_FROM_BYTES = 1000;

interface OutputParts {
  readonly report: OptimizeReport;
  readonly result: SearchResult<unknown>;
  readonly builder: CandidateBuilder;
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly examples: readonly GoldExample[];
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
  const site =
    report.task === 'text-classification'
      ? await siteFiles({
          name: report.model.name,
          packageFiles,
          runtime: parts.runtime,
          reportHtml: page,
          examples: examplesToTry(parts.examples),
        })
      : plainSite(packageFiles, parts.runtime);
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

/** Tasks without a page yet: package and runtime, for a page of one's own. */
function plainSite(
  packageFiles: PackageFiles,
  runtime: ReadonlyMap<string, Uint8Array>,
): Map<string, Uint8Array | string> {
  return new Map([
    ...[...runtime].map(([name, bytes]) => [`runtime/${name}`, bytes] as const),
    ...[...packageFiles].map(([name, bytes]) => [`${SITE_PACKAGE_FOLDER}/${name}`, bytes] as const),
  ]);
}

/** Adds the compressed copies that static hosts send where a browser accepts them. */
async function withCompressed(
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<Map<string, Uint8Array | string>> {
  const all = new Map(files);
  await Promise.all(
    [...files].map(async ([path, content]) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      if (bytes.length < COMPRESS_FROM_BYTES) return;
      all.set(`${path}.br`, await brotli(bytes));
      all.set(`${path}.gz`, await gzipped(bytes));
    }),
  );
  return all;
}
