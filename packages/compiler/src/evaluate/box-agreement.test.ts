import { describe, expect, it } from 'vitest';
import { boxAgreement } from './box-agreement.ts';
import type { DetectedBox } from './detection.ts';

const box = (classIndex: number, score: number, x: number): DetectedBox => ({
  classIndex,
  score,
  box: { x, y: 0, width: 10, height: 10 },
});

describe('boxAgreement', () => {
  it('is 1 for the same boxes, whatever the scores', () => {
    expect(boxAgreement([[box(0, 0.9, 0), box(1, 0.5, 50)]], [[box(0, 0.4, 0), box(1, 0.6, 50)]])).toBe(1);
  });

  it('counts boxes that are missing, moved or of another class', () => {
    const float = [[box(0, 0.9, 0)], [box(0, 0.8, 0)]];
    expect(boxAgreement(float, [[box(0, 0.9, 0)], []])).toBeCloseTo(51 / 101, 6);
    expect(boxAgreement(float, [[box(0, 0.9, 0)], [box(0, 0.9, 30)]])).toBeLessThan(0.6);
    expect(boxAgreement(float, [[box(1, 0.9, 0)], [box(1, 0.9, 0)]])).toBe(0);
  });

  it('does not want the doubtful ones', () => {
    const float = [[box(0, 0.9, 0), box(0, 0.1, 50)]];
    expect(boxAgreement(float, [[box(0, 0.9, 0)]])).toBe(1);
    expect(boxAgreement(float, [[box(0, 0.9, 0)]], { scoreThreshold: 0 })).toBeCloseTo(51 / 101, 6);
  });
});
