// A tokenizer for models whose words mean nothing: BERT's special ids, then made-up syllable words.
import { VOCABULARY } from './shapes.mjs';

const SPECIAL = { 0: '[PAD]', 100: '[UNK]', 101: '[CLS]', 102: '[SEP]', 103: '[MASK]' };
const FIRST_WORD = 104;

/** Contents of tokenizer.json and tokenizer_config.json: a lower-casing WordPiece. */
export function wordPieceTokenizer() {
  const vocabulary = Object.fromEntries(tokens().map((token, index) => [token, index]));
  const template = (/** @type {string} */ id, /** @type {number} */ type) => ({
    SpecialToken: { id, type_id: type },
  });
  const sequence = (/** @type {string} */ id, /** @type {number} */ type) => ({
    Sequence: { id, type_id: type },
  });
  const single = [template('[CLS]', 0), sequence('A', 0), template('[SEP]', 0)];
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: Object.entries(SPECIAL).map(([id, content]) => ({
        id: Number(id),
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single,
        pair: [...single, sequence('B', 1), template('[SEP]', 1)],
        special_tokens: {
          '[CLS]': { id: '[CLS]', ids: [101], tokens: ['[CLS]'] },
          '[SEP]': { id: '[SEP]', ids: [102], tokens: ['[SEP]'] },
        },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: vocabulary,
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      model_max_length: 512,
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      mask_token: '[MASK]',
    },
  };
}

function tokens() {
  /** @type {Record<number, string>} */
  const special = SPECIAL;
  const syllables = Array.from('bcdfghjklmnprstvwz').flatMap((a) => Array.from('aeiou').map((b) => a + b));
  const words = syllables.flatMap((a) => syllables.flatMap((b) => ['', ...syllables].map((c) => a + b + c)));
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  return [
    ...Array.from({ length: FIRST_WORD }, (_, index) => special[index] ?? `[unused${index}]`),
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    ...words,
  ].slice(0, VOCABULARY);
}
