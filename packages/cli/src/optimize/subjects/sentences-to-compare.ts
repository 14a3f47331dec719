import type { TextExample } from '../../examples/read-text-examples.ts';

const QUERIES_SHOWN = 3;
const OTHERS_SHOWN = 6;
/** Short ones fit on a phone. */
const SENTENCE_LENGTH = 60;

export interface SentencesToCompare {
  readonly queries: readonly string[];
  readonly others: readonly string[];
}

/** Sentences from the data for the page that compares one with a list: each of the first has its like in the list. */
export function sentencesToCompare(examples: readonly TextExample[]): SentencesToCompare {
  const pairs = examples
    .flatMap(({ text, textPair, gold }) =>
      textPair === undefined ? [] : [{ text, textPair, gold: Number(gold) }],
    )
    .filter(
      ({ text, textPair }) => text !== textPair && Math.max(text.length, textPair.length) <= SENTENCE_LENGTH,
    )
    .toSorted((a, b) => b.gold - a.gold);
  const alike = pairs.slice(0, QUERIES_SHOWN);
  const unlike = pairs.toReversed().flatMap(({ text, textPair }) => [textPair, text]);
  const queries = unique(alike.map(({ text }) => text));
  const others = unique([...alike.map(({ textPair }) => textPair), ...unlike]);
  return { queries, others: others.filter((text) => !queries.includes(text)).slice(0, OTHERS_SHOWN) };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
