import { charactersOf, idsByToken, listOf, restrictIds, textOf, type Json } from './json.ts';
import type { TokenModel } from './token-model.ts';

/**
 * Words are merged from characters (or bytes), pair by pair. A token comes about through its merges only, so its parts stay
 * with it: then every word whose tokens all stay is merged as before.
 */
export function bytePairModel(model: Json): TokenModel {
  const tokens = idsByToken(model);
  const merges = listOf(model['merges']).map(readMerge);
  const prefix = textOf(model['continuing_subword_prefix']);
  const suffix = textOf(model['end_of_word_suffix']);
  const joined = ([left, right]: Merge): string => left + right.slice(prefix.length);
  const parts = new Map<string, string[]>();
  for (const merge of merges) {
    const known = parts.get(joined(merge));
    if (known === undefined) parts.set(joined(merge), [...merge]);
    else known.push(...merge);
  }
  const stays = (ids: ReadonlyMap<number, number>, token: string): boolean =>
    ids.has(tokens.get(token) ?? -1);
  return {
    tokens,
    unknown: tokens.get(textOf(model['unk_token'])),
    spell: (token) => {
      const end = suffix !== '' && token.endsWith(suffix) ? suffix : '';
      const characters = charactersOf(token.slice(0, token.length - end.length));
      return characters.map((character, at) => (at === characters.length - 1 ? character + end : character));
    },
    partsOf: (token) => parts.get(token) ?? [],
    restrict: (ids) => ({
      ...model,
      vocab: restrictIds(tokens, ids),
      merges: listOf(model['merges']).filter((_, at) => {
        const merge = merges[at]!;
        return [...merge, joined(merge)].every((token) => stays(ids, token));
      }),
    }),
  };
}

type Merge = readonly [left: string, right: string];

/** `"a b"` or `["a", "b"]`. */
function readMerge(merge: unknown): Merge {
  const [left, right] = typeof merge === 'string' ? merge.split(' ') : listOf(merge);
  return [textOf(left), textOf(right)];
}
