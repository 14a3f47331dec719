import { describe, expect, it } from 'vitest';
import { accuracy, f1, f1Macro, f1Micro, matthews, ranks, spearman } from './metrics.ts';

// Expected numbers: scikit-learn's and SciPy's documentation examples, or by hand.
describe('metrics', () => {
  it('accuracy', () => expect(accuracy([0, 2, 1, 3], [0, 1, 2, 3])).toBe(0.5));

  it('f1, binary and macro', () => {
    expect(f1([1, 0, 1, 1], [1, 1, 0, 1], 1)).toBeCloseTo(2 / 3, 15);
    expect(f1([0, 0], [0, 0], 1)).toBe(0);
    expect(f1Macro([0, 2, 1, 0, 0, 1], [0, 1, 2, 0, 1, 2])).toBeCloseTo(0.26666666666666666, 15);
  });

  it('several labels at once: exact match, F1 by micro and macro average', () => {
    // scikit-learn's f1_score and accuracy_score on indicator matrices.
    const golds = [[], [0, 1, 2], [1, 2]];
    const predictions = [[], [0, 1, 2], [0, 1]];
    expect([0, 1, 2].map((label) => f1(predictions, golds, label))).toEqual([2 / 3, 1, 2 / 3]);
    expect(f1Micro(predictions, golds)).toBe(0.8);
    expect(f1Macro(predictions, golds)).toBeCloseTo(7 / 9, 15);
    expect(accuracy(predictions, golds)).toBe(2 / 3);
    expect([f1Micro([[]], [[]]), f1Macro([[]], [[]]), accuracy([[]], [[]])]).toEqual([0, 0, 1]);
  });

  it('matthews, two classes and three', () => {
    expect(matthews([1, 0, 1, 1], [1, 1, 1, 0])).toBeCloseTo(-1 / 3, 15);
    expect(matthews([0, 1, 2], [0, 1, 2])).toBe(1);
    expect(matthews([1, 1, 1], [0, 1, 2])).toBe(0);
  });

  it('spearman with ties averaged', () => {
    expect(ranks([10, 20, 10, 30])).toEqual([1.5, 3, 1.5, 4]);
    expect(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.8207826816681233, 14);
    expect(spearman([3, 2, 1], [1, 2, 3])).toBe(-1);
    expect(spearman([1, 1, 1], [1, 2, 3])).toBe(0);
  });
});
