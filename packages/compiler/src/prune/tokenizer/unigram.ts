import { CompilerError } from '../../diagnostics/index.ts';
import { charactersOf, listOf, textOf, type Json } from './json.ts';
import type { TokenModel } from './token-model.ts';

/** Words are cut where the sum of the tokens' log-probabilities is largest; ids are positions in the list. */
export function unigramModel(model: Json): TokenModel {
  const pieces = listOf(model['vocab']).map(listOf);
  const tokens = new Map(pieces.map(([piece], id) => [textOf(piece), id]));
  const unknown = model['unk_id'];
  return {
    tokens,
    unknown: typeof unknown === 'number' ? unknown : undefined,
    spell: charactersOf,
    partsOf: () => [],
    restrict: (ids) => {
      const kept = [...ids].filter(([id]) => id < pieces.length).toSorted(([, a], [, b]) => a - b);
      if (kept.some(([, renumbered], position) => renumbered !== position))
        throw new CompilerError(
          'bad-file',
          'tokenizer.json: added tokens have ids among those of the Unigram model',
        );
      return {
        ...model,
        vocab: kept.map(([id]) => pieces[id]),
        ...(typeof unknown === 'number' && { unk_id: ids.get(unknown) }),
      };
    },
  };
}
