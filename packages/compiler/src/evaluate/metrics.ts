import { averagePrecisionOver } from './average-precision.ts';
import type { Answer, AnswerKind, BoxesAnswer } from './dataset.ts';
import type { DetectedBox } from './detection.ts';

/** What a model's quality is measured in. Higher is better for all of them. */
export interface Metric {
  readonly name: MetricName;
  /** Kinds of answers that it compares. */
  readonly fits: readonly AnswerKind[];
  /** Of a metric that is a share of examples, whether one is right: its intervals are exact, those of others bootstrapped. */
  readonly isRight?: (prediction: Answer | undefined, gold: Answer) => boolean;
  /**
   * The metric as a function of which examples are taken, by position, some of them perhaps several times. Prediction i
   * belongs to gold i; both have the same length, at least 1.
   */
  readonly over: (
    predictions: readonly Answer[],
    golds: readonly Answer[],
  ) => (positions: readonly number[]) => number;
}

export type MetricName =
  | 'accuracy'
  | 'f1'
  | 'f1-macro'
  | 'matthews'
  | 'top-1'
  | 'top-5'
  | 'f1-micro'
  | 'exact-match'
  | 'spearman'
  | 'auroc'
  | 'map'
  | 'map50';

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  accuracy: share('accuracy', 'class', sameAnswer),
  f1: statistic('f1', ['class'], (predictions, golds) => f1(predictions, golds, 1)),
  'f1-macro': statistic('f1-macro', ['class', 'labels'], f1Macro),
  matthews: statistic('matthews', ['class'], matthews),
  'top-1': share('top-1', 'ranking', isAmongBest(1)),
  'top-5': share('top-5', 'ranking', isAmongBest(5)),
  'f1-micro': statistic('f1-micro', ['labels'], f1Micro),
  /** scikit-learn's `accuracy_score` of several labels, also called subset accuracy. */
  'exact-match': share('exact-match', 'labels', sameAnswer),
  spearman: statistic('spearman', ['score'], spearman),
  auroc: statistic('auroc', ['score'], auroc),
  map: averagePrecision('map'),
  map50: averagePrecision('map50', [0.5]),
};

/** The metric that is usual for a kind of answers. */
export const USUAL_METRIC: Readonly<Record<AnswerKind, MetricName>> = {
  class: 'accuracy',
  ranking: 'top-1',
  labels: 'f1-micro',
  score: 'spearman',
  boxes: 'map',
};

function share(name: MetricName, kind: AnswerKind, isRight: NonNullable<Metric['isRight']>): Metric {
  return {
    name,
    fits: [kind],
    isRight,
    over: (predictions, golds) => {
      const right = golds.map((gold, i) => isRight(predictions[i], gold));
      return (positions) => positions.filter((position) => right[position]).length / positions.length;
    },
  };
}

function statistic(
  name: MetricName,
  fits: readonly AnswerKind[],
  value: (predictions: readonly Answer[], golds: readonly Answer[]) => number,
): Metric {
  return {
    name,
    fits,
    over: (predictions, golds) => (positions) =>
      value(
        positions.map((position) => predictions[position] ?? 0),
        positions.map((position) => golds[position] ?? 0),
      ),
  };
}

function averagePrecision(name: MetricName, thresholds?: readonly number[]): Metric {
  return {
    name,
    fits: ['boxes'],
    over: (predictions, golds) => {
      const images = golds.map((gold, i) => ({ found: foundBoxes(predictions[i]), golds: boxesOf(gold) }));
      return averagePrecisionOver(images, thresholds === undefined ? {} : { thresholds });
    },
  };
}

function foundBoxes(answer: Answer | undefined): readonly DetectedBox[] {
  return boxesOf(answer).filter((box) => 'score' in box);
}

function boxesOf(answer: Answer | undefined): BoxesAnswer['boxes'] {
  return typeof answer === 'object' && 'boxes' in answer ? answer.boxes : [];
}

/** Whether a ranking has the right label among its first so many. */
function isAmongBest(count: number): NonNullable<Metric['isRight']> {
  return (prediction, gold) => labelsOf(prediction).slice(0, count).includes(Number(gold));
}

export function sameAnswer(a: Answer | undefined, b: Answer | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if ('boxes' in a || 'boxes' in b) return JSON.stringify(a) === JSON.stringify(b);
  return a.length === b.length && a.every((label, i) => label === b[i]);
}

/** 2·TP / (2·TP + FP + FN) of one class or label; 0 when it is neither there nor predicted (scikit-learn's rule). */
export function f1(predictions: readonly Answer[], golds: readonly Answer[], positive: number): number {
  let truePositives = 0;
  let errors = 0;
  golds.forEach((gold, i) => {
    const isGold = says(gold, positive);
    const isPredicted = says(predictions[i], positive);
    if (isGold && isPredicted) truePositives++;
    else if (isGold || isPredicted) errors++;
  });
  return f1Of(truePositives, errors);
}

/** Unweighted mean of every class's or label's F1, over those that occur in either list. */
export function f1Macro(predictions: readonly Answer[], golds: readonly Answer[]): number {
  const classes = [...new Set([...predictions, ...golds].flatMap(labelsOf))];
  if (classes.length === 0) return 0;
  return classes.reduce((sum, each) => sum + f1(predictions, golds, each), 0) / classes.length;
}

/** F1 over all decisions for and against a label taken together; frequent labels weigh more. 0 when no label is there or predicted. */
export function f1Micro(predictions: readonly Answer[], golds: readonly Answer[]): number {
  let truePositives = 0;
  let given = 0;
  golds.forEach((gold, i) => {
    const goldLabels = labelsOf(gold);
    const predicted = labelsOf(predictions[i]);
    truePositives += predicted.filter((label) => goldLabels.includes(label)).length;
    given += goldLabels.length + predicted.length;
  });
  return f1Of(truePositives, given - 2 * truePositives);
}

function f1Of(truePositives: number, errors: number): number {
  const denominator = 2 * truePositives + errors;
  return denominator === 0 ? 0 : (2 * truePositives) / denominator;
}

function says(answer: Answer | undefined, label: number): boolean {
  return labelsOf(answer).includes(label);
}

function labelsOf(answer: Answer | undefined): readonly number[] {
  if (typeof answer === 'number') return [answer];
  return answer === undefined || 'boxes' in answer ? [] : answer;
}

/**
 * Matthews correlation for any number of classes, −1…1; 0 when either side is constant.
 * Formula: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
 */
export function matthews(predictions: readonly Answer[], golds: readonly Answer[]): number {
  const samples = golds.length;
  const hits = golds.filter((gold, i) => sameAnswer(predictions[i], gold)).length;
  let crossed = 0;
  let predictedSquares = 0;
  let goldSquares = 0;
  for (const each of new Set([...predictions, ...golds])) {
    const predicted = predictions.filter((value) => value === each).length;
    const gold = golds.filter((value) => value === each).length;
    crossed += predicted * gold;
    predictedSquares += predicted ** 2;
    goldSquares += gold ** 2;
  }
  const denominator = Math.sqrt((samples ** 2 - predictedSquares) * (samples ** 2 - goldSquares));
  return denominator === 0 ? 0 : (hits * samples - crossed) / denominator;
}

/** Pearson correlation of the ranks, ties sharing their mean rank; 0 when either side is constant. */
export function spearman(predictions: readonly Answer[], golds: readonly Answer[]): number {
  const a = ranks(predictions.map(Number));
  const b = ranks(golds.map(Number));
  const mean = (golds.length + 1) / 2;
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  a.forEach((rank, i) => {
    const x = rank - mean;
    const y = (b[i] ?? mean) - mean;
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  });
  const denominator = Math.sqrt(squaresA * squaresB);
  return denominator === 0 ? 0 : product / denominator;
}

/** Gold scores from here on are of the class that is looked for. */
const POSITIVE = 0.5;

/**
 * Area under the ROC curve, 0…1: the probability that a positive example (gold at least 0.5) scores above a negative one,
 * equal scores counting half; 0.5 when there are no two classes. Through the rank sum of Mann and Whitney 1947, as in
 * Fawcett 2006, "An introduction to ROC analysis", section 7.
 */
export function auroc(predictions: readonly Answer[], golds: readonly Answer[]): number {
  const rank = ranks(predictions.map(Number));
  const positives = golds.flatMap((gold, i) => (Number(gold) >= POSITIVE ? [rank[i] ?? 0] : []));
  const pairs = positives.length * (golds.length - positives.length);
  const sum = positives.reduce((a, b) => a + b, 0);
  return pairs === 0 ? 0.5 : (sum - (positives.length * (positives.length + 1)) / 2) / pairs;
}

/** Ranks from 1; equal values get the mean of the ranks they take. */
export function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = Array.from({ length: values.length }, () => 0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && order[end]?.value === order[start]?.value) end++;
    for (const { index } of order.slice(start, end)) result[index] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}
