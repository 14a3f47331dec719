import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import type { Answer } from './dataset.ts';
import {
  auroc,
  f1,
  f1Macro,
  f1Micro,
  matthews,
  METRICS,
  ranks,
  spearman,
  type MetricName,
} from './metrics.ts';

function valueOf(name: MetricName, predictions: readonly Answer[], golds: readonly Answer[]): number {
  return METRICS[name].over(predictions, golds)([...golds.keys()]);
}

// Expected numbers: scikit-learn's and SciPy's documentation examples, or by hand.
describe('metrics', () => {
  it('accuracy', () => expect(valueOf('accuracy', [0, 2, 1, 3], [0, 1, 2, 3])).toBe(0.5));

  it('top-1 and top-5 of rankings', () => {
    const rankings = [
      [3, 1],
      [0, 2, 4, 1, 3, 5],
      [2, 7],
    ];
    expect(valueOf('top-1', rankings, [3, 3, 7])).toBeCloseTo(1 / 3, 15);
    expect(valueOf('top-5', rankings, [3, 3, 7])).toBe(1);
    expect(valueOf('top-5', rankings, [3, 5, 7])).toBeCloseTo(2 / 3, 15);
  });

  it('mean average precision, of some of the images too', () => {
    const box = { x: 0, y: 0, width: 10, height: 10 };
    const gold = { boxes: [{ classIndex: 0, box }] };
    const found = { boxes: [{ classIndex: 0, box: { ...box, width: 7 }, score: 0.9 }] };
    const over = METRICS.map.over([found, { boxes: [] }], [gold, gold]);
    expect(over([0])).toBeCloseTo(0.5, 12);
    expect(over([0, 0])).toBeCloseTo(0.5, 12);
    expect(over([1])).toBe(0);
    expect(valueOf('map50', [found, { boxes: [] }], [gold, gold])).toBeCloseTo(51 / 101, 12);
  });

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
    expect(valueOf('exact-match', predictions, golds)).toBe(2 / 3);
    expect([f1Micro([[]], [[]]), f1Macro([[]], [[]]), valueOf('exact-match', [[]], [[]])]).toEqual([0, 0, 1]);
  });

  it('matthews, two classes and three', () => {
    expect(matthews([1, 0, 1, 1], [1, 1, 1, 0])).toBeCloseTo(-1 / 3, 15);
    expect(matthews([0, 1, 2], [0, 1, 2])).toBe(1);
    expect(matthews([1, 1, 1], [0, 1, 2])).toBe(0);
  });

  it('auroc counts pairs in order, ties half', () => {
    // scikit-learn's roc_auc_score of the same numbers.
    expect(auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(auroc([0.5, 0.5, 0.5, 0.9, 0.1], [0, 1, 1, 1, 0])).toBeCloseTo(5 / 6, 14);
    expect(auroc([3, 3, 3], [0, 1, 1])).toBe(0.5);
    expect(auroc([2, 1], [0, 1])).toBe(0);
    expect(auroc([1, 2], [1, 1])).toBe(0.5);
    const random = seededRandom(4);
    const golds = Array.from({ length: 60 }, () => random.int(0, 1));
    const scores = golds.map(() => random.int(0, 12) / 12);
    const inOrder = (p: number, n: number): number => (p > n ? 1 : p === n ? 0.5 : 0);
    const pairs = golds.flatMap((gold, i) =>
      golds.flatMap((other, j) => (gold === 1 && other === 0 ? [inOrder(scores[i]!, scores[j]!)] : [])),
    );
    expect(auroc(scores, golds)).toBeCloseTo(pairs.reduce((a, b) => a + b, 0) / pairs.length, 14);
  });

  it('spearman with ties averaged', () => {
    expect(ranks([10, 20, 10, 30])).toEqual([1.5, 3, 1.5, 4]);
    expect(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.8207826816681233, 14);
    expect(spearman([3, 2, 1], [1, 2, 3])).toBe(-1);
    expect(spearman([1, 1, 1], [1, 2, 3])).toBe(0);
  });
});
