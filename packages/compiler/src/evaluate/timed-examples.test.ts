import { describe, expect, it } from 'vitest';
import { TIMED_EXAMPLES, timedExamples } from './timed-examples.ts';

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ text: 'x'.repeat((i * 7919) % count), gold: 0 }));

describe('timedExamples', () => {
  it('takes all of a small set', () => {
    expect(timedExamples(texts(1))).toEqual([0]);
    expect(timedExamples(texts(3))).toEqual([0, 1, 2]);
    expect(timedExamples(texts(TIMED_EXAMPLES))).toHaveLength(TIMED_EXAMPLES);
  });

  it.each([201, 399, 640, 10_000])('spreads over the lengths of %i, none twice', (count) => {
    const examples = texts(count);
    const positions = timedExamples(examples);
    expect(new Set(positions).size).toBe(TIMED_EXAMPLES);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    const lengths = positions.map((i) => examples[i]?.text.length ?? -1).sort((a, b) => a - b);
    // The lengths are 0 … count − 1, each once: even steps between both ends.
    lengths.forEach((length, i) =>
      expect(Math.abs(length - (i * (count - 1)) / (TIMED_EXAMPLES - 1))).toBeLessThanOrEqual(0.5),
    );
  });
});
