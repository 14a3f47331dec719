import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import {
  classExamples,
  METRICS,
  readDataset,
  scoreExamples,
  type Dataset,
  type GoldExample,
  type Metric,
  type MetricName,
} from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';

/** Reads a data file; errors name the file and the line. */
export async function readDataFile(path: string): Promise<Dataset> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  return readDataset(await readFile(path), { file: path });
}

/** The metric that suits the task, unless one was asked for. */
export function metricFor(task: string, name: MetricName | undefined): Metric {
  const metric = METRICS[name ?? (task === 'feature-extraction' ? 'spearman' : 'accuracy')];
  const wanted = task === 'feature-extraction' ? 'score' : 'class';
  if (metric.on !== wanted) throw new UsageError(`${metric.name} does not fit ${task}.`);
  return metric;
}

interface Labels {
  readonly labels?: readonly string[];
  readonly multiLabel?: boolean;
}

/**
 * The examples with what the metric compares with.
 * @throws UsageError for several labels at once: the data formats have one per example
 */
export function goldExamples(
  dataset: Dataset,
  metric: Metric,
  { labels = [], multiLabel = false }: Labels,
): readonly GoldExample[] {
  if (multiLabel) throw new UsageError('Models with several labels at once cannot be evaluated yet.');
  return metric.on === 'class' ? classExamples(dataset, labels) : scoreExamples(dataset);
}
