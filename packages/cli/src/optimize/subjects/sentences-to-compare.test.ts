import { describe, expect, it } from 'vitest';
import { sentencesToCompare } from './sentences-to-compare.ts';

describe('sentencesToCompare', () => {
  it('puts the like of every query into the list, and others from unlike pairs', () => {
    const pairs = [
      ['a cat', 'a kitten', 4.8],
      ['the sea', 'a plane', 0],
      ['same', 'same', 5],
      ['a dog', 'the sea', 0.2],
      ['a boat', 'a ship', 4],
      ['long '.repeat(20), 'long', 5],
      ['a car', 'an auto', 4.5],
      ['a bus', 'a tree', 1],
    ] as const;
    const examples = pairs.map(([text, textPair, gold]) => ({ text, textPair, gold }));
    expect(sentencesToCompare(examples)).toEqual({
      queries: ['a cat', 'a car', 'a boat'],
      others: ['a kitten', 'an auto', 'a ship', 'a plane', 'the sea', 'a dog'],
    });
  });

  it('has none without pairs', () => {
    expect(sentencesToCompare([{ text: 'alone', gold: 1 }])).toEqual({ queries: [], others: [] });
  });
});
