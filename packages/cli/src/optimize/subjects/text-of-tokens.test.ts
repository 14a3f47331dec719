import { describe, expect, it } from 'vitest';
import { textOfTokens } from './text-of-tokens.ts';

/** Two special tokens and, of each word, one for every three letters. */
const count = (text: string): number =>
  text
    .split(/\s+/)
    .filter(Boolean)
    .reduce((sum, word) => sum + Math.ceil(word.length / 3), 2);

describe('textOfTokens', () => {
  it.each([3, 8, 16, 40, 128])('cuts and joins texts to exactly %i tokens', (tokens) => {
    const texts = ['a bc def ghij', 'klmnopqr stu', 'v'];
    const text = textOfTokens(texts, tokens, count) ?? '';
    expect(count(text)).toBe(tokens);
    expect(`${texts.join(' ')} `.repeat(tokens)).toContain(text);
  });

  it('begins elsewhere where the first text steps over the number', () => {
    const byCharacter = (text: string): number =>
      Array.from(text).reduce((sum, each) => sum + (each === '🙂' ? 4 : each === ' ' ? 0 : 1), 0);
    expect(textOfTokens(['🙂🙂🙂'.repeat(9), 'ab 🙂'], 6, byCharacter)).toBe('ab 🙂');
    expect(textOfTokens(['🙂'], 6, byCharacter)).toBeUndefined();
  });

  it('finds nothing in blank texts', () => {
    expect(textOfTokens(['', ' '], 8, count)).toBeUndefined();
    expect(textOfTokens([], 8, count)).toBeUndefined();
  });
});
