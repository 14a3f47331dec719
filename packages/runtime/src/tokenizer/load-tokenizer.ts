import type { Manifest } from '../format/index.ts';
import { entryOf } from '../package/entry-of.ts';
import { readFile, type PackageReader } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';
import { truncatePair } from './truncate-pair.ts';

export interface Encoding {
  readonly ids: readonly number[];
  /** 0 for the first text and its special tokens, 1 for the second where the tokenizer says so. */
  readonly typeIds: readonly number[];
}

/** Turns a text, or a pair of texts, into token ids with special tokens, cut to the package's `maxLength`. */
export type Encode = (text: string, pair?: string) => Encoding;

/**
 * What is used of the library's tokenizer. Written down here because the library's own declarations (0.2.0) do not
 * check under `moduleResolution: nodenext`, and ours are read with the user's options.
 */
export interface LibraryTokenizer {
  readonly normalizer: ((text: string) => string) | null;
  readonly model: { readonly unk_token_id?: number | undefined } | null;
  readonly post_processor:
    | ((
        first: string[],
        second: string[] | null,
        addSpecialTokens: boolean,
      ) => { tokens: string[]; token_type_ids?: number[] })
    | null;
  tokenize(text: string): string[];
  token_to_id(token: string): number | undefined;
  get_added_tokens_decoder(): Map<number, { id: number; content: string; normalized: boolean }>;
}

/** The library, a chunk of its own. */
export type TokenizerLibrary = Promise<{
  readonly Tokenizer: new (tokenizer: object, config: object) => LibraryTokenizer;
}>;

/** Starts to load the library; it is needed when it is awaited, and may fail until then unnoticed. */
export function importTokenizerLibrary(): TokenizerLibrary {
  const library: TokenizerLibrary = import('@huggingface/tokenizers');
  library.catch(() => {});
  return library;
}

/** Loads the package's tokenizer. */
export async function loadTokenizer(
  manifest: Manifest,
  reader: PackageReader,
  library: TokenizerLibrary,
  options: { readonly verify: boolean; readonly signal: AbortSignal },
): Promise<Encode> {
  const { tokenizer } = manifest;
  if (!tokenizer) throw new RuntimeError('bad-package', 'edgewise.json: a text task needs a tokenizer');
  const { file, configFile, maxLength } = tokenizer;
  const readJson = async (name: string): Promise<object> =>
    parse(name, await readFile(reader, name, entryOf(manifest, name), options));
  const [{ Tokenizer }, json, config] = await Promise.all([
    library,
    readJson(file),
    configFile === undefined ? {} : readJson(configFile),
  ]);
  try {
    const encode = encoder(new Tokenizer(json, config), file, maxLength);
    return hasSingleType(json) ? (text, pair) => zeroTypes(encode(text, pair)) : encode;
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    throw bad(file, `cannot be used: ${(cause as Error).message}`, cause);
  }
}

function parse(file: string, bytes: Uint8Array): object {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as object;
  } catch (cause) {
    throw bad(file, `is not JSON: ${(cause as Error).message}`, cause);
  }
}

/** The library tokenizes; cutting has to come before the special tokens, so both steps are called by themselves. */
function encoder(tokenizer: LibraryTokenizer, file: string, maxLength: number): Encode {
  const finish = (
    first: string[],
    second: string[] | null,
  ): { tokens: string[]; token_type_ids?: number[] } =>
    tokenizer.post_processor?.(first, second, true) ?? { tokens: [...first, ...(second ?? [])] };
  const specialTokens = { single: finish([], null).tokens.length, pair: finish([], []).tokens.length };
  if (maxLength < specialTokens.pair) {
    throw bad(file, `adds ${specialTokens.pair} special tokens, more than maxLength (${maxLength})`);
  }
  const idOf = tokenIds(tokenizer);

  return (text, pair) => {
    let first = tokenizer.tokenize(text);
    let second = pair === undefined ? null : tokenizer.tokenize(pair);
    if (second) {
      const [a, b] = truncatePair(first.length, second.length, maxLength - specialTokens.pair);
      first = first.slice(0, a);
      second = second.slice(0, b);
    } else {
      first = first.slice(0, maxLength - specialTokens.single);
    }
    const { tokens, token_type_ids: typeIds = [] } = finish(first, second);
    const ids = tokens.map(idOf);
    // A tokenizer without an unknown token drops what it does not know.
    const known = ids.flatMap((id, index) => (id === undefined ? [] : [index]));
    return {
      ids: known.map((index) => ids[index] as number),
      typeIds: known.map((index) => typeIds[index] ?? 0),
    };
  };
}

/** RoBERTa has no second type; the library (0.2.0) gives pairs type 1, the original 0. */
function hasSingleType(tokenizer: object): boolean {
  const { post_processor: processor } = tokenizer as {
    post_processor?: { type?: string; processors?: { type?: string }[] } | null;
  };
  return [processor, ...(processor?.processors ?? [])].some((step) => step?.type === 'RobertaProcessing');
}

function zeroTypes({ ids }: Encoding): Encoding {
  return { ids, typeIds: ids.map(() => 0) };
}

/** The id of a token. Added tokens are found in normalized text by their normalized content. */
function tokenIds(tokenizer: LibraryTokenizer): (token: string) => number | undefined {
  const added = new Map<string, number>();
  for (const { id, content, normalized } of tokenizer.get_added_tokens_decoder().values()) {
    added.set(content, id);
    if (normalized && tokenizer.normalizer) added.set(tokenizer.normalizer(content), id);
  }
  const unknown = tokenizer.model?.unk_token_id;
  return (token) => added.get(token) ?? tokenizer.token_to_id(token) ?? unknown;
}

function bad(file: string, what: string, cause?: unknown): RuntimeError {
  return new RuntimeError('bad-package', `${file} ${what}`, { file, cause });
}
