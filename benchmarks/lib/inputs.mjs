import { readFileSync } from 'node:fs';

/** Numbers in [0, 1) that are the same on every machine (mulberry32). @param {number} seed */
export function seededRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Token ids of one input, without special ones.
 * @param {number} tokens @param {number} vocabulary
 */
export function tokenIds(tokens, vocabulary) {
  const random = seededRandom(tokens);
  return Array.from({ length: tokens }, () => 1000 + Math.floor(random() * (vocabulary - 1000)));
}

/**
 * A text that a WordPiece tokenizer.json turns into exactly `tokens` tokens, its two special ones included: whole
 * words of the vocabulary.
 * @param {string} tokenizerFile @param {number} tokens
 */
export function textOf(tokenizerFile, tokens) {
  const vocabulary = Object.keys(JSON.parse(readFileSync(tokenizerFile, 'utf8')).model.vocab);
  const words = vocabulary.filter((token) => /^[a-z]{4,}$/.test(token));
  const random = seededRandom(tokens);
  return Array.from({ length: tokens - 2 }, () => words[Math.floor(random() * words.length)]).join(' ');
}
