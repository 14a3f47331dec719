import type { TokenIds } from './token-model.ts';

export interface MeasureFallbackOptions {
  /** Text that the vocabulary was not chosen from. */
  readonly texts: Iterable<string>;
  /** Ids of a text with the tokenizer as it was, and with the restricted one. */
  readonly before: (text: string) => readonly number[];
  readonly after: (text: string) => readonly number[];
  readonly ids: TokenIds;
  /** New id of the unknown token. */
  readonly unknown: number | undefined;
}

/** Shares of running words, those between spaces. */
export interface Fallback {
  readonly words: number;
  /** That are split into other tokens than before. */
  readonly split: number;
  /** That have an unknown token and had none. */
  readonly unknown: number;
}

/** What a restricted tokenizer does to text that it was not chosen from. */
export function measureFallback({ texts, before, after, ids, unknown }: MeasureFallbackOptions): Fallback {
  const known = new Map<string, { readonly split: boolean; readonly unknown: boolean }>();
  const look = (word: string): { readonly split: boolean; readonly unknown: boolean } => {
    // As inside a sentence: tokenizers that mark the space before a word have other tokens for the first one.
    const expected = before(` ${word}`).map((id) => ids.get(id));
    const actual = after(` ${word}`);
    const unknowns = (list: readonly (number | undefined)[]): number =>
      list.filter((id) => id === unknown).length;
    return {
      split: expected.join() !== actual.join(),
      unknown: unknown !== undefined && unknowns(actual) > unknowns(expected),
    };
  };
  let [words, split, lost] = [0, 0, 0];
  for (const text of texts) {
    for (const word of text.split(/\s+/u).filter(Boolean)) {
      const result = known.get(word) ?? look(word);
      known.set(word, result);
      words++;
      split += Number(result.split);
      lost += Number(result.unknown);
    }
  }
  const share = (count: number): number => (words === 0 ? 0 : count / words);
  return { words, split: share(split), unknown: share(lost) };
}
