/** What a model's quality is measured in. Higher is better for all of them. */
export interface Metric {
  readonly name: MetricName;
  /** `class`: predictions and golds are class indices; `score`: real numbers. */
  readonly on: 'class' | 'score';
  /** Prediction i belongs to gold i; both have the same length, at least 1. */
  readonly value: (predictions: readonly number[], golds: readonly number[]) => number;
}

export type MetricName = 'accuracy' | 'f1' | 'f1-macro' | 'matthews' | 'spearman';

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  accuracy: { name: 'accuracy', on: 'class', value: accuracy },
  f1: { name: 'f1', on: 'class', value: (predictions, golds) => f1(predictions, golds, 1) },
  'f1-macro': { name: 'f1-macro', on: 'class', value: f1Macro },
  matthews: { name: 'matthews', on: 'class', value: matthews },
  spearman: { name: 'spearman', on: 'score', value: spearman },
};

/** Share of predictions that equal their gold, 0…1. */
export function accuracy(predictions: readonly number[], golds: readonly number[]): number {
  return correct(predictions, golds).filter(Boolean).length / golds.length;
}

/** Which predictions equal their gold. */
export function correct(predictions: readonly number[], golds: readonly number[]): readonly boolean[] {
  return golds.map((gold, i) => predictions[i] === gold);
}

/** 2·TP / (2·TP + FP + FN) of one class; 0 when the class is neither there nor predicted (scikit-learn's rule). */
export function f1(predictions: readonly number[], golds: readonly number[], positive: number): number {
  let truePositives = 0;
  let errors = 0;
  golds.forEach((gold, i) => {
    if (gold === positive && predictions[i] === positive) truePositives++;
    else if (gold === positive || predictions[i] === positive) errors++;
  });
  const denominator = 2 * truePositives + errors;
  return denominator === 0 ? 0 : (2 * truePositives) / denominator;
}

/** Unweighted mean of every class's F1, over the classes that occur in either list. */
export function f1Macro(predictions: readonly number[], golds: readonly number[]): number {
  const classes = [...new Set([...predictions, ...golds])];
  return classes.reduce((sum, each) => sum + f1(predictions, golds, each), 0) / classes.length;
}

/**
 * Matthews correlation for any number of classes, −1…1; 0 when either side is constant.
 * Formula: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
 */
export function matthews(predictions: readonly number[], golds: readonly number[]): number {
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
export function spearman(predictions: readonly number[], golds: readonly number[]): number {
  const a = ranks(predictions);
  const b = ranks(golds);
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
