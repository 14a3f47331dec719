import { CompilerError } from '../../diagnostics/index.ts';
import { listOf, objectOf, type Json } from './json.ts';
import { readTokenModel } from './read-token-model.ts';
import type { TokenIds } from './token-model.ts';

/**
 * tokenizer.json with the tokens that `ids` names and their new ids: vocabulary, merges, added tokens, post-processor, padding.
 * @param tokenizer parsed
 * @throws CompilerError `bad-option` where a special token is not among those that stay; what `readTokenModel` throws.
 */
export function restrictTokenizer(tokenizer: Json, ids: TokenIds): Json {
  const { model: _, padding, ...rest } = tokenizer;
  return {
    ...rest,
    added_tokens: listOf(tokenizer['added_tokens']).map((token) =>
      renumberKey(objectOf(token) ?? {}, 'id', ids),
    ),
    post_processor: renumberProcessor(tokenizer['post_processor'], ids),
    ...(padding !== undefined && { padding: renumberPadding(padding, ids) }),
    model: readTokenModel(tokenizer).restrict(ids),
  };
}

/**
 * config.json, generation_config.json or tokenizer_config.json with the new ids: `vocab_size`, every `…_token_id` and the keys of
 * `added_tokens_decoder`.
 * @param config parsed
 * @throws CompilerError `bad-option` where an id that it names is not among those that stay.
 */
export function renumberConfig(config: Json, ids: TokenIds): Json {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (key === 'vocab_size') return [key, ids.size];
      if (key.endsWith('_token_id')) return [key, renumberAll(value, key, ids)];
      if (key === 'added_tokens_decoder') return [key, renumberKeys(objectOf(value) ?? {}, key, ids)];
      return [key, value];
    }),
  );
}

/** TemplateProcessing has `special_tokens`, BertProcessing and RobertaProcessing have `sep` and `cls`, Sequence has `processors`. */
function renumberProcessor(value: unknown, ids: TokenIds): unknown {
  const processor = objectOf(value);
  if (processor === undefined) return value;
  const pair = (key: string): Json => {
    const [token, id] = listOf(processor[key]);
    return id === undefined ? {} : { [key]: [token, renumber(Number(id), `post_processor.${key}`, ids)] };
  };
  const special = objectOf(processor['special_tokens']);
  const processors = processor['processors'];
  return {
    ...processor,
    ...pair('sep'),
    ...pair('cls'),
    ...(special && {
      special_tokens: mapValues(special, (token) => renumberKey(objectOf(token) ?? {}, 'ids', ids)),
    }),
    ...(Array.isArray(processors) && { processors: processors.map((each) => renumberProcessor(each, ids)) }),
  };
}

function renumberPadding(value: unknown, ids: TokenIds): unknown {
  const padding = objectOf(value);
  return padding === undefined ? value : renumberKey(padding, 'pad_id', ids);
}

function renumberKey(value: Json, key: string, ids: TokenIds): Json {
  return key in value ? { ...value, [key]: renumberAll(value[key], key, ids) } : value;
}

function renumberKeys(value: Json, key: string, ids: TokenIds): Json {
  return Object.fromEntries(
    Object.entries(value).map(([id, token]) => [renumber(Number(id), key, ids), token]),
  );
}

/** An id, a list of them, or null. */
function renumberAll(value: unknown, key: string, ids: TokenIds): unknown {
  if (Array.isArray(value)) return value.map((each) => renumberAll(each, key, ids));
  return typeof value === 'number' ? renumber(value, key, ids) : value;
}

function renumber(id: number, key: string, ids: TokenIds): number {
  const renumbered = ids.get(id);
  if (renumbered === undefined)
    throw new CompilerError(
      'bad-option',
      `the token ${id}, which '${key}' names, is not among those that stay`,
      {
        hint: 'list it among the added_tokens of tokenizer.json',
      },
    );
  return renumbered;
}

function mapValues(value: Json, map: (each: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each)]));
}
