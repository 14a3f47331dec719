import { METRICS, TIMED_EXAMPLES, type AnswerKind, type Metric, type MetricName } from '@edgewise/compiler';
import { LABEL_THRESHOLD } from '@edgewise/runtime/format';
import { takenBy, type Taken, type TaskName } from '../../command/task-names.ts';
import { metricHeading } from '../../report/metric-title.ts';
import { EVALUATED_SCORE } from '../../measure/open-task.ts';
import type { OpenRunners } from '../candidates/open-runners.ts';

export interface MeasurementNotesOptions {
  readonly task: TaskName;
  readonly target: 'web' | 'node';
  readonly kind: AnswerKind;
  readonly metric: Metric;
  readonly browser: OpenRunners['browser'];
}

/** How the numbers of a report were made, for people. */
export function measurementNotes({
  task,
  target,
  kind,
  metric,
  browser,
}: MeasurementNotesOptions): readonly string[] {
  return [
    whereNote(browser),
    'The original ran on onnxruntime in a Node process; its download counts the model and the tokenizer, no runtime.',
    target === 'web'
      ? 'Download: runtime, manifest, the larger of the two programs, weights and tokenizer, each file compressed by itself (brotli 11; 9 above 1 MB).'
      : 'Download: as a page would fetch it, each file compressed by itself (brotli 11; 9 above 1 MB).',
    `Latency: one input after the other ${FROM[takenBy(task)]}, after 16 runs of warm-up; of ${TIMED_EXAMPLES} examples, spread evenly, where there are more.`,
    `Times and memory are measured in every run. ${metricHeading(metric.name)} follows from files, data and runner: the answers are kept between runs, and believed where the timed examples give the same ones again.`,
    "Memory: Node: most resident memory of the process over that of Node alone. Browser: the engine's memory and what the scripts of page and workers hold after an answer with one thread, over the empty page.",
    ...metricNotes(kind, metric),
    'A budget is held against measured values, not against the ends of intervals.',
  ];
}

function whereNote(browser: MeasurementNotesOptions['browser']): string {
  if (browser === undefined) return 'Candidates ran on the Edgewise runtime in a Node process each.';
  return 'version' in browser
    ? `Candidates ran on the Edgewise runtime in ${browser.version}, headless, cross-origin isolated, one page each.`
    : `No browser was used (${browser.missing}): latency and memory of the candidates are Node's, not a browser's.`;
}

const FROM: Readonly<Record<Taken, string>> = {
  text: 'from text to scores, tokenizer included',
  image: 'from decoded pixels to the answer, resizing included',
  audio: 'from samples to scores, resampling and spectrum included',
};

const METRIC_WORDS: Readonly<Record<MetricName, string>> = {
  accuracy: 'the share of examples whose most probable label is the right one',
  f1: 'F1 of label 1',
  'f1-macro': 'the mean of the F1 of every label',
  matthews: "Matthews' correlation of answers and right ones",
  'f1-micro': 'F1 over all decisions for and against a label together',
  'exact-match': 'the share of examples that have all their labels and no other',
  'top-1': 'the share of examples whose most probable label is the right one',
  'top-5': 'the share of examples whose right label is among the five most probable',
  map: `the mean average precision at overlaps of 0.5, 0.55 … 0.95, as COCO's tools compute it, of boxes with scores from ${EVALUATED_SCORE} up`,
  map50: `the mean average precision at an overlap of 0.5, as COCO's tools compute it, of boxes with scores from ${EVALUATED_SCORE} up`,
  auroc: 'the area under the ROC curve, scores from 0.5 being of the class that is looked for',
  spearman: 'the correlation of the ranks of cosine and score',
};

function metricNotes(kind: AnswerKind, metric: Metric): readonly string[] {
  const holds =
    kind === 'labels' ? ` A label holds where its own probability is above ${100 * LABEL_THRESHOLD} %.` : '';
  const interval = METRICS[metric.name].isRight
    ? 'Exact 95 % interval (Clopper-Pearson). Change against the original on the same examples: Clopper-Pearson intervals of wins and losses at 97.5 % each, so that both hold with 95 %.'
    : '95 % interval by bootstrap, 2000 resamples of the examples; change against the original: paired, every resample takes the same examples for both.';
  return [`${metricHeading(metric.name)}: ${METRIC_WORDS[metric.name]}.${holds}`, interval];
}
