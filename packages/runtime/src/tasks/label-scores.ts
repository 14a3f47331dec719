import { RuntimeError } from '../runtime-error.ts';

export interface LabelScore {
  readonly label: string;
  /** Probability in [0, 1]; over all labels they sum to 1 unless the package is multi-label. */
  readonly score: number;
}

export interface ClassifyOptions {
  /** How many labels to return. Default all. */
  readonly topK?: number;
}

/** The `topK` best labels, best first. */
export function rankLabels(labels: readonly string[], scores: ArrayLike<number>, topK: number): LabelScore[] {
  const ranked = labels.map((label, index) => ({ label, score: scores[index] ?? 0 }));
  return ranked.sort((a, b) => b.score - a.score).slice(0, topK);
}

export function checkTopK(topK: number): void {
  if (Number.isInteger(topK) && topK >= 1) return;
  throw new RuntimeError('bad-option', `topK must be a whole number from 1, not ${topK}`);
}
