import { METRICS, USUAL_METRIC, type AnswerKind, type Metric, type MetricName } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';

/** Whether an example of the task is two inputs, and the answer how alike they are. */
export function comparesPairs(task: string): boolean {
  return task === 'feature-extraction' || task === 'image-feature-extraction';
}

/** What a model for the task says about an example. */
export function answerKind(task: string, multiLabel = false): AnswerKind {
  if (task === 'object-detection') return 'boxes';
  if (comparesPairs(task) || task === 'voice-activity-detection') return 'score';
  if (multiLabel) return 'labels';
  return task === 'image-classification' ? 'ranking' : 'class';
}

const KIND_WORDS: Readonly<Record<AnswerKind, string>> = {
  class: 'text-classification and audio-classification',
  ranking: 'image-classification',
  labels: 'classification with several labels at once',
  score: 'feature-extraction, image-feature-extraction and voice-activity-detection',
  boxes: 'object-detection',
};

/** The usual metric of the task, unless one was asked for. */
export function metricFor(
  task: string,
  kind: AnswerKind,
  name: MetricName = usualMetric(task, kind),
): Metric {
  const metric = METRICS[name];
  if (metric.fits.includes(kind)) return metric;
  const fitting = Object.values(METRICS).filter(({ fits }) => fits.includes(kind));
  throw new UsageError(
    `--metric: ${name} does not fit ${KIND_WORDS[kind]}. Choose ${fitting.map((each) => each.name).join(', ')}.`,
  );
}

function usualMetric(task: string, kind: AnswerKind): MetricName {
  return task === 'voice-activity-detection' ? 'auroc' : USUAL_METRIC[kind];
}
