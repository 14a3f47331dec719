import { join } from 'node:path';
import {
  evaluateCandidate,
  rankLayers,
  searchBudget,
  VERSION,
  type AnswerKind,
  type Built,
  type GoldExample,
  type Metric,
  type Recipe,
  type Runner,
  type SearchEvent,
  type SearchResult,
} from '@edgewise/compiler';
import { MANIFEST_FILE, type Budget } from '@edgewise/runtime/format';
import { hashOf } from '../../files/hash.ts';
import { resultCache } from '../../files/result-cache.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import { formatBytes, formatMs, formatPercent } from '../../terminal/format.ts';
import type { Progress } from '../../terminal/progress.ts';
import type { CandidateBuilder } from './candidate-builder.ts';
import { downloadSize, SizeTable } from './download-size.ts';
import type { OpenRunners } from './open-runners.ts';
import type { Sensitivity } from '../pipelines/pipeline.ts';
import { writePackage } from './write-package.ts';

export interface RunSearchOptions {
  readonly recipes: readonly Recipe[];
  readonly builder: CandidateBuilder;
  /** What the search ranks layers by, when it wants to; undefined where nothing can be measured. */
  readonly sensitivity: (recipe: Recipe) => Promise<Sensitivity | undefined>;
  readonly budget: Budget;
  readonly examples: readonly GoldExample[];
  readonly examplesKey: string;
  readonly kind: AnswerKind;
  readonly metric: Metric;
  readonly runners: OpenRunners;
  readonly runtime: ReadonlyMap<string, Uint8Array>;
  readonly cacheFolder: string;
  readonly fresh: boolean;
  /** Empty folder for packages while they are measured. */
  readonly temporary: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Searches with the real runtime. */
export async function runSearch({
  builder,
  sensitivity,
  runners,
  examples,
  kind,
  metric,
  runtime,
  temporary,
  progress,
  signal,
  ...options
}: RunSearchOptions): Promise<SearchResult<PackageFiles>> {
  const sizes = new SizeTable();
  const data = [kind, JSON.stringify(examples), options.examplesKey];
  const common = [VERSION, JSON.stringify(runners.machine), ...data, ...runtime.values()];
  const cache = resultCache(options.cacheFolder, progress.warn);
  const runnerOf = (shippable: boolean): Runner<string> => (shippable ? runners.candidate : runners.original);
  return searchBudget<PackageFiles>({
    recipes: options.recipes,
    budget: options.budget,
    cache: options.fresh ? { ...cache, get: () => Promise.resolve(undefined) } : cache,
    layersToWiden: async (recipe) => rankLayers((await sensitivity(recipe))?.layers ?? []),
    signal,
    onEvent: (event) => showEvent(event, progress),
    build: async (recipe): Promise<Built<PackageFiles>> => {
      const artifact = await builder.build(recipe);
      const shippable = recipe.steps.length > 0;
      const contentHash = hashOf([...common, runnerOf(shippable).name, ...contentOf(artifact)]);
      return { artifact, contentHash, shippable };
    },
    measure: async ({ artifact, contentHash, shippable }, { baseline, known, onProgress }) => {
      const folder = join(temporary, contentHash);
      await writePackage(folder, artifact);
      const downloadBytes = await downloadSize(artifact, runtime, sizes);
      return evaluateCandidate({
        runner: runnerOf(shippable),
        artifact: folder,
        examples,
        kind,
        metric,
        downloadBytes,
        ...(baseline ? { baseline: baseline.predictions } : {}),
        ...(known ? { known } : {}),
        signal,
        onProgress,
      });
    },
  });
}

/** All of a package but the name of its recipe, which says nothing about what it does. */
function contentOf(artifact: PackageFiles): (string | Uint8Array)[] {
  const manifest = JSON.parse(new TextDecoder().decode(artifact.get(MANIFEST_FILE))) as object;
  const described = JSON.stringify({ ...manifest, recipe: undefined });
  return [described, ...[...artifact].filter(([name]) => name !== MANIFEST_FILE).flat()];
}

function showEvent(event: SearchEvent, progress: Progress): void {
  switch (event.type) {
    case 'build':
      return progress.stage(`candidate ${event.index} of ${event.total - 1}: ${event.recipe}`);
    case 'measure':
      return progress.update(`${event.done} of ${event.examples} examples`);
    case 'measured': {
      const { downloadBytes, latencyMs, metric, predictionsReused } = event.evaluation;
      const facts = [formatBytes(downloadBytes.brotli), formatMs(latencyMs.p50), formatPercent(metric.value)];
      return progress.done(`${facts.join('  ')}${predictionsReused ? ' as before' : ''}`);
    }
    case 'refused':
      return progress.done(`left out: ${event.error.message}`);
  }
}
