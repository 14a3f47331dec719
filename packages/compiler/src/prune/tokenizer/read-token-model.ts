import { CompilerError } from '../../diagnostics/index.ts';
import { bytePairModel } from './byte-pair.ts';
import { objectOf, textOf, type Json } from './json.ts';
import type { TokenModel } from './token-model.ts';
import { unigramModel } from './unigram.ts';
import { wordPieceModel } from './word-piece.ts';

const KINDS: Readonly<Record<string, (model: Json) => TokenModel>> = {
  WordPiece: wordPieceModel,
  BPE: bytePairModel,
  Unigram: unigramModel,
};

/**
 * The model of a parsed tokenizer.json.
 * @throws CompilerError `unsupported` for other kinds than WordPiece, BPE and Unigram, `bad-file` for a broken one.
 */
export function readTokenModel(tokenizer: Json): TokenModel {
  const model = objectOf(tokenizer['model']);
  if (model === undefined) throw new CompilerError('bad-file', 'tokenizer.json has no model');
  // Files of before 2020 name no type; only WordPiece has a prefix and a limit of characters.
  const kind = textOf(model['type'], 'max_input_chars_per_word' in model ? 'WordPiece' : 'BPE');
  const read = KINDS[kind];
  if (read === undefined)
    throw new CompilerError(
      'unsupported',
      `tokenizer.json: the vocabulary of a ${kind} model cannot be pruned`,
      {
        hint: `it can for ${Object.keys(KINDS).join(', ')}`,
      },
    );
  return read(model);
}
