import { CompilerError } from '../../diagnostics/index.ts';
import { listOf, objectOf, textOf, type Json } from './json.ts';
import { readTokenModel } from './read-token-model.ts';
import type { TokenIds, TokenModel } from './token-model.ts';

export interface ChooseVocabularyOptions {
  /** Parsed tokenizer.json. */
  readonly tokenizer: Json;
  /** How often each id occurs in the corpus, from `countTokens`. */
  readonly counts: ReadonlyMap<number, number>;
  /** Share of the corpus' running tokens, special ones not counted, that the kept ones make up, 0 to 1. Default 0.999. */
  readonly coverage?: number;
}

export const CHOOSE_VOCABULARY_DEFAULTS: Required<Pick<ChooseVocabularyOptions, 'coverage'>> = {
  coverage: 0.999,
};

export interface Vocabulary {
  /** New id by old id, both ascending. */
  readonly ids: TokenIds;
  /** New id of the unknown token. */
  readonly unknown: number | undefined;
  /** Number of tokens before. */
  readonly before: number;
  /** Share of the corpus' running tokens that stay as they are. */
  readonly coverage: number;
  /**
   * Share of the running tokens of new text of the same kind that the corpus never saw: the share of those it saw once (Good
   * 1953, "The population frequencies of species and the estimation of population parameters"). Where it is above
   * 1 − `coverage`, the corpus is too small to promise that coverage.
   */
  readonly unseen: number;
}

/** Bytes of tokenizers that fall back to them. */
const BYTE = /^<0x[0-9A-F]{2}>$/;

/**
 * Chooses the tokens to keep: the most frequent ones that make up `coverage` of the corpus; added and special tokens, single characters
 * and bytes in any case, tokens with a character that has no token of its own, and the parts that kept tokens
 * are merged from. So a text that could be written without the unknown token still can.
 * @throws CompilerError `bad-option` for an empty corpus or a coverage outside 0 to 1; what `readTokenModel` throws.
 */
export function chooseVocabulary(options: ChooseVocabularyOptions): Vocabulary {
  const { tokenizer, counts, coverage } = { ...CHOOSE_VOCABULARY_DEFAULTS, ...options };
  if (!(coverage > 0 && coverage <= 1))
    throw new CompilerError(
      'bad-option',
      `chooseVocabulary: coverage must be above 0 and at most 1, got ${coverage}`,
    );
  const model = readTokenModel(tokenizer);
  const added = addedTokens(tokenizer);
  const special = new Set(added.values());
  const words = new Map([...counts].filter(([id]) => !special.has(id)));
  const total = sum(words.values());
  if (total === 0)
    throw new CompilerError('bad-option', 'chooseVocabulary: the corpus has no tokens', {
      hint: 'count the tokens of some thousand sentences like those that the model will see',
    });
  const kept = new Set([...special, ...withParts(model, indispensable(model))]);
  const countOf = (id: number): number => words.get(id) ?? 0;
  const tokenOf = new Map([...model.tokens].map(([token, id]) => [id, token]));
  let covered = sum([...kept].map(countOf));
  for (const [id] of [...words].toSorted(([a, x], [b, y]) => y - x || a - b)) {
    if (covered >= coverage * total) break;
    const token = tokenOf.get(id);
    if (token === undefined) continue;
    for (const part of withParts(model, [token])) {
      if (!kept.has(part)) covered += countOf(part);
      kept.add(part);
    }
  }
  const ascending = [...kept].toSorted((a, b) => a - b);
  const ids = new Map(ascending.map((id, renumbered) => [id, renumbered]));
  return {
    ids,
    unknown: model.unknown === undefined ? undefined : ids.get(model.unknown),
    before: new Set([...model.tokens.values(), ...special]).size,
    coverage: covered / total,
    unseen: [...words.values()].filter((count) => count === 1).length / total,
  };
}

/** Ids of these tokens and of all that they are merged from. */
function withParts({ tokens, partsOf }: TokenModel, wanted: readonly string[]): Set<number> {
  const found = new Set<number>();
  const queue = [...wanted];
  for (let token = queue.pop(); token !== undefined; token = queue.pop()) {
    const id = tokens.get(token);
    if (id === undefined || found.has(id)) continue;
    found.add(id);
    queue.push(...partsOf(token));
  }
  return found;
}

/** How often each id occurs in these encodings. */
export function countTokens(encodings: Iterable<readonly number[]>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const ids of encodings) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** Id by content of the tokens that are found before the model splits. */
function addedTokens(tokenizer: Json): Map<string, number> {
  return new Map(
    listOf(tokenizer['added_tokens']).flatMap((token) => {
      const { id, content } = objectOf(token) ?? {};
      return typeof id === 'number' ? [[textOf(content), id] as const] : [];
    }),
  );
}

/** The unknown token, characters, bytes, and tokens that could not be spelled without themselves. */
function indispensable({ tokens, unknown, spell }: TokenModel): string[] {
  return [...tokens.keys()].filter((token) => {
    if (tokens.get(token) === unknown) return true;
    const letters = spell(token);
    return letters.length <= 1 || BYTE.test(token) || letters.some((letter) => !tokens.has(letter));
  });
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
