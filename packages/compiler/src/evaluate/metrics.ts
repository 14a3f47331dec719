import type { Answer, AnswerKind } from './dataset.ts';

/** What a model's quality is measured in. Higher is better for all of them. */
export interface Metric {
  readonly name: MetricName;
  /** Kinds of answers that it compares. */
  readonly fits: readonly AnswerKind[];
  /** A share of examples that are right: its intervals are exact ones, those of the others bootstrapped. */
  readonly isShare: boolean;
  /** Prediction i belongs to gold i; both have the same length, at least 1. */
  readonly value: (predictions: readonly Answer[], golds: readonly Answer[]) => number;
}

export type MetricName =
  | 'accuracy'
  | 'f1'
  | 'f1-macro'
  | 'matthews'
  | 'f1-micro'
  | 'exact-match'
  | 'spearman';

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  accuracy: { name: 'accuracy', fits: ['class'], isShare: true, value: accuracy },
  f1: {
    name: 'f1',
    fits: ['class'],
    isShare: false,
    value: (predictions, golds) => f1(predictions, golds, 1),
  },
  'f1-macro': { name: 'f1-macro', fits: ['class', 'labels'], isShare: false, value: f1Macro },
  matthews: { name: 'matthews', fits: ['class'], isShare: false, value: matthews },
  'f1-micro': { name: 'f1-micro', fits: ['labels'], isShare: false, value: f1Micro },
  /** scikit-learn's `accuracy_score` of several labels, also called subset accuracy. */
  'exact-match': { name: 'exact-match', fits: ['labels'], isShare: true, value: accuracy },
  spearman: { name: 'spearman', fits: ['score'], isShare: false, value: spearman },
};

/** The metric that is usual for a kind of answers. */
export const USUAL_METRIC: Readonly<Record<AnswerKind, MetricName>> = {
  class: 'accuracy',
  labels: 'f1-micro',
  score: 'spearman',
};

/** Share of predictions that equal their gold, 0…1; of several labels all must be right. */
export function accuracy(predictions: readonly Answer[], golds: readonly Answer[]): number {
  return correct(predictions, golds).filter(Boolean).length / golds.length;
}

/** Which predictions equal their gold. */
export function correct(predictions: readonly Answer[], golds: readonly Answer[]): readonly boolean[] {
  return golds.map((gold, i) => sameAnswer(predictions[i], gold));
}

export function sameAnswer(a: Answer | undefined, b: Answer | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
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
  const classes = [...new Set([...predictions, ...golds].flat())];
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
  return typeof answer === 'object' ? answer.includes(label) : answer === label;
}

function labelsOf(answer: Answer | undefined): readonly number[] {
  return typeof answer === 'number' ? [answer] : (answer ?? []);
}

/**
 * Matthews correlation for any number of classes, −1…1; 0 when either side is constant.
 * Formula: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
 */
export function matthews(predictions: readonly Answer[], golds: readonly Answer[]): number {
  const samples = golds.length;
  const hits = correct(predictions, golds).filter(Boolean).length;
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
