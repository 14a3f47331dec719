import { charactersOf, idsByToken, textOf, restrictIds, type Json } from './json.ts';
import type { TokenModel } from './token-model.ts';

/** Words are cut greedily, the longest token first; all but the first one of a word carry a prefix (`##`). */
export function wordPieceModel(model: Json): TokenModel {
  const tokens = idsByToken(model);
  const prefix = textOf(model['continuing_subword_prefix'], '##');
  return {
    tokens,
    unknown: tokens.get(textOf(model['unk_token'], '[UNK]')),
    spell: (token) => {
      const isFirst = !token.startsWith(prefix);
      return charactersOf(isFirst ? token : token.slice(prefix.length)).map((character, at) =>
        isFirst && at === 0 ? character : prefix + character,
      );
    },
    partsOf: () => [],
    restrict: (ids) => ({ ...model, vocab: restrictIds(tokens, ids) }),
  };
}
