import {
  classExamples,
  labelExamples,
  METRICS,
  readDataset,
  scoreExamples,
  USUAL_METRIC,
  type AnswerKind,
  type Dataset,
  type GoldExample,
  type Metric,
  type MetricName,
} from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from './read-input.ts';

/** Reads a data file; errors name the file and the line. */
export async function readDataFile(path: string): Promise<Dataset> {
  return readDataset(await readInput(path), { file: path });
}

/** What a model for the task says about an example. */
export function answerKind(task: string, multiLabel = false): AnswerKind {
  if (task === 'feature-extraction') return 'score';
  return multiLabel ? 'labels' : 'class';
}

const KIND_WORDS: Readonly<Record<AnswerKind, string>> = {
  class: 'text-classification',
  labels: 'text-classification with several labels at once',
  score: 'feature-extraction',
};

/** The usual metric, unless one was asked for. */
export function metricFor(kind: AnswerKind, name: MetricName = USUAL_METRIC[kind]): Metric {
  const metric = METRICS[name];
  if (metric.fits.includes(kind)) return metric;
  const fitting = Object.values(METRICS).filter(({ fits }) => fits.includes(kind));
  throw new UsageError(
    `--metric: ${name} does not fit ${KIND_WORDS[kind]}. Choose ${fitting.map((each) => each.name).join(', ')}.`,
  );
}

/** The examples with what predictions are compared with. */
export function goldExamples(
  dataset: Dataset,
  kind: AnswerKind,
  labels: readonly string[] = [],
): readonly GoldExample[] {
  if (kind === 'score') return scoreExamples(dataset);
  return kind === 'labels' ? labelExamples(dataset, labels) : classExamples(dataset, labels);
}
