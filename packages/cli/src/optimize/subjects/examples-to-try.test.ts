import { describe, expect, it } from 'vitest';
import { examplesToTry } from './examples-to-try.ts';

describe('examplesToTry', () => {
  it('takes labels in turn, a few short texts, no pairs', () => {
    const examples = [
      { text: 'a', gold: 1 },
      { text: 'b', gold: 1 },
      { text: 'long '.repeat(20), gold: 0 },
      { text: 'pair', textPair: 'of texts', gold: 0 },
      { text: 'c', gold: 0 },
      { text: 'd', gold: 1 },
      { text: 'e', gold: 0 },
    ];
    expect(examplesToTry(examples)).toEqual(['a', 'c', 'b', 'e']);
    expect(examplesToTry(examples.slice(0, 1))).toEqual(['a']);
    expect(examplesToTry([])).toEqual([]);
  });

  it('tells sets of labels apart', () => {
    const sets = [[0], [0], [0, 1], [], [1]];
    expect(examplesToTry(sets.map((gold, i) => ({ text: `${i}`, gold })))).toEqual(['0', '2', '3', '4']);
  });
});
