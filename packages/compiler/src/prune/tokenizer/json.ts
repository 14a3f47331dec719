import { CompilerError } from '../../diagnostics/index.ts';

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A string; the fallback where there is none. */
export function textOf(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback;
}

/** Code points, as tokenizers count characters. */
export function charactersOf(text: string): string[] {
  return Array.from(text);
}

/** The vocabulary of a model that is an object of ids. */
export function idsByToken(model: Json): Map<string, number> {
  const vocabulary = objectOf(model['vocab']);
  if (vocabulary === undefined)
    throw new CompilerError('bad-file', 'tokenizer.json: model.vocab is no object of ids');
  return new Map(
    Object.entries(vocabulary).map(([token, id]) => {
      if (!Number.isInteger(id))
        throw new CompilerError('bad-file', `tokenizer.json: the id of '${token}' is no whole number`);
      return [token, id as number];
    }),
  );
}

/** What stays of such a vocabulary, under new ids. */
export function restrictIds(tokens: ReadonlyMap<string, number>, ids: ReadonlyMap<number, number>): Json {
  return Object.fromEntries(
    [...tokens].flatMap(([token, id]) => {
      const renumbered = ids.get(id);
      return renumbered === undefined ? [] : [[token, renumbered]];
    }),
  );
}
