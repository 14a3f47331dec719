import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer, type Encode } from '@edgewise/runtime/tokenizer';
import { createSession } from '@edgewise/runtime/node';
import { repoRoot } from '@edgewise/test-utils';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../src/import/onnx/index.ts';
import { int64Tensor, isFloat32, typedData, type Model } from '../src/ir/index.ts';
import { evaluateModel } from '../src/ops/index.ts';
import {
  chooseVocabulary,
  countTokens,
  measureFallback,
  pruneVocabulary,
  renumberConfig,
  restrictTokenizer,
  type TokenIds,
} from '../src/prune/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { buildPackage, compileEdge } from '../src/targets/index.ts';
import { compactEncoder } from '../src/transforms/index.ts';

type Json = Readonly<Record<string, unknown>>;

const sentiment = join(repoRoot, 'models', 'sentiment');
const lines = readFileSync(join(sentiment, 'calibration.txt'), 'utf8').trim().split('\n');
const [corpus, unseen] = [lines.slice(0, 200), lines.slice(200)];

/** One of each kind, and the demo's. */
const TOKENIZERS: Readonly<Record<string, { file: string; unknown: string }>> = {
  WordPiece: { file: fixture('wordpiece.json'), unknown: '[UNK]' },
  'byte-level BPE': { file: fixture('byte-level-bpe.json'), unknown: '<unk>' },
  Unigram: { file: fixture('unigram.json'), unknown: '<unk>' },
  'the demo': { file: join(sentiment, 'tokenizer.json'), unknown: '[UNK]' },
};

function fixture(name: string): string {
  return join(repoRoot, 'packages/runtime/test/fixtures/tokenizers', name);
}

function readJson(file: string): Json {
  return JSON.parse(readFileSync(file, 'utf8')) as Json;
}

/** The ids that our runtime makes; transformers.js 4 takes the library's as they are. */
async function runtimeEncode(tokenizer: Json): Promise<(text: string) => readonly number[]> {
  const files = new Map([
    ['tokenizer.json', new TextEncoder().encode(JSON.stringify(tokenizer))],
    ['model.onnx', new Uint8Array()],
  ]);
  const encode: Encode = await loadTokenizer(
    await buildPackage({
      description: { name: 'test', task: 'test', tokenizer: { file: 'tokenizer.json', maxLength: 512 } },
      model: { kind: 'onnx', file: 'model.onnx' },
      files,
    }),
  );
  return (text) => encode(text).ids;
}

function libraryEncode(tokenizer: Json): (text: string) => readonly number[] {
  const library = new Tokenizer(tokenizer, {});
  return (text) => library.encode(text).ids;
}

describe.each(Object.keys(TOKENIZERS))('a restricted tokenizer: %s', (kind) => {
  const { file, unknown } = TOKENIZERS[kind]!;
  const tokenizer = readJson(file);
  const before = libraryEncode(tokenizer);
  const counts = countTokens(corpus.map(before));
  const chosen = chooseVocabulary({ tokenizer, counts, coverage: 0.97 });
  const restricted = restrictTokenizer(tokenizer, chosen.ids);
  const after = libraryEncode(restricted);

  it('is smaller, numbered without gaps, and covers what was asked for', () => {
    expect(chosen.ids.size).toBeLessThan(0.9 * chosen.before);
    expect([...chosen.ids.values()]).toEqual(Array.from({ length: chosen.ids.size }, (_, id) => id));
    expect(chosen.coverage).toBeGreaterThanOrEqual(0.97);
    expect(chosen.coverage).toBeLessThan(1);
  });

  it("gives the same ids in our runtime as in transformers.js' tokenizer", async () => {
    const ours = await runtimeEncode(restricted);
    for (const text of lines) expect(ours(text)).toEqual(after(text));
  });

  it('renumbers texts whose tokens all stay', () => {
    const staying = lines.filter((text) => before(text).every((id) => chosen.ids.has(id)));
    expect(staying.length).toBeGreaterThan(30);
    for (const text of staying) expect(after(text)).toEqual(before(text).map((id) => chosen.ids.get(id)));
  });

  it('writes every word without the unknown token that was written without it', () => {
    const lost = unknownId(tokenizer, unknown);
    const vocabulary = Object.keys(vocabularyOf(tokenizer)).map((token) => token.replace(/^(##|Ġ|▁)/, ''));
    const words = [...vocabulary, ...lines.flatMap((text) => text.split(' '))];
    const written = words.filter((word) => !before(word).includes(lost));
    expect(written.filter((word) => after(word).includes(chosen.ids.get(lost)!))).toEqual([]);
  });

  it('reports how much unseen text is split differently', () => {
    const fallback = measureFallback({
      texts: unseen,
      before,
      after,
      ids: chosen.ids,
      unknown: chosen.ids.get(unknownId(tokenizer, unknown)),
    });
    expect(fallback.words).toBe(unseen.flatMap((text) => text.split(/\s+/)).length);
    expect(fallback.split).toBeGreaterThan(0);
    expect(fallback.split).toBeLessThan(0.5);
    expect(fallback.unknown).toBe(0);
  });
});

describe('chooseVocabulary', () => {
  const tokenizer = readJson(fixture('byte-level-bpe.json'));
  const encode = libraryEncode(tokenizer);

  it('keeps the parts that a token is merged from', () => {
    const { ids } = chooseVocabulary({ tokenizer, counts: countTokens([encode('film')]) });
    const restricted = libraryEncode(restrictTokenizer(tokenizer, ids));
    expect(restricted('film')).toEqual(encode('film').map((id) => ids.get(id)));
  });

  it('says how much of new text the corpus cannot know', () => {
    const { unseen: share } = chooseVocabulary({
      tokenizer,
      counts: new Map([
        [70, 6],
        [71, 1],
        [72, 2],
        [73, 1],
      ]),
    });
    expect(share).toBe(0.2);
  });

  it('refuses an empty corpus and other kinds of vocabularies', () => {
    expect(() => chooseVocabulary({ tokenizer, counts: new Map() })).toThrow('the corpus has no tokens');
    expect(() => chooseVocabulary({ tokenizer, counts: new Map([[70, 1]]), coverage: 99 })).toThrow(
      'coverage must be above 0 and at most 1, got 99',
    );
    const words = { model: { type: 'WordLevel', vocab: {} } };
    expect(() => chooseVocabulary({ tokenizer: words, counts: new Map([[70, 1]]) })).toThrow(
      'WordLevel model cannot be pruned',
    );
  });
});

describe('renumberConfig', () => {
  const ids: TokenIds = new Map([
    [0, 0],
    [2, 1],
    [50, 2],
  ]);

  it('renumbers every id that a configuration names', () => {
    const config = {
      vocab_size: 60,
      type_vocab_size: 2,
      pad_token_id: 0,
      eos_token_id: [2, 50],
      bos_token_id: null,
      added_tokens_decoder: { '50': { content: '[X]' } },
    };
    expect(renumberConfig(config, ids)).toEqual({
      vocab_size: 3,
      type_vocab_size: 2,
      pad_token_id: 0,
      eos_token_id: [1, 2],
      bos_token_id: null,
      added_tokens_decoder: { '2': { content: '[X]' } },
    });
  });

  it('refuses an id that went', () => {
    expect(() => renumberConfig({ mask_token_id: 4 }, ids)).toThrow(
      "the token 4, which 'mask_token_id' names, is not among those that stay",
    );
  });
});

describe('pruneVocabulary', () => {
  it.each(['distilbert-dynamo-sdpa', 'bert-cls-legacy-eager', 'roberta-legacy-sdpa'])(
    '%s: the same bits for renumbered ids, in the reference and in our engine',
    async (name) => {
      const model = await compact(name);
      const kept = Array.from({ length: 52 }, (_, at) => (at < 5 ? at : 2 * at - 5));
      const ids = new Map(kept.map((id, renumbered) => [id, renumbered]));
      const { model: pruned } = await runPasses(model, [pruneVocabulary({ ids })]);
      const text = [2, 7, 9, 97, 33, 3];
      expect(
        evaluate(
          pruned,
          text.map((id) => ids.get(id)!),
        ),
      ).toEqual(evaluate(model, text));
      const [before, after] = [
        await run(model, text),
        await run(
          pruned,
          text.map((id) => ids.get(id)!),
        ),
      ];
      expect(after).toEqual(before);
      expect(wordRows(pruned)).toBe(52);
    },
  );

  it('refuses ids beyond the table, and a padding token that moves under positions counted from it', async () => {
    const bert = await compact('bert-cls-legacy-eager');
    const beyond = pruneVocabulary({
      ids: new Map([
        [0, 0],
        [100_000, 1],
      ]),
    });
    await expect(runPasses(bert, [beyond])).rejects.toThrow('none for token 100000');
    const roberta = await compact('roberta-legacy-sdpa');
    const moved = pruneVocabulary({
      ids: new Map([
        [1, 0],
        [2, 1],
      ]),
    });
    await expect(runPasses(roberta, [moved])).rejects.toThrow('positions count from the padding token 1');
  });
});

async function compact(name: string): Promise<Model> {
  const bytes = readFileSync(new URL(`fixtures/exports/${name}.onnx`, import.meta.url));
  return (await runPasses(readOnnx(bytes), compactEncoder())).model;
}

function evaluate(model: Model, ids: readonly number[]): Float32Array[] {
  const feeds = model.graph.inputs.map(({ name }) => {
    const values = name === 'input_ids' ? ids : ids.map(() => (name === 'attention_mask' ? 1 : 0));
    return [name, int64Tensor([1, ids.length], values)] as const;
  });
  return [...evaluateModel(model, new Map(feeds)).values()].map((tensor) => {
    if (!isFloat32(tensor)) throw new Error('expected float32');
    return typedData(tensor);
  });
}

async function run(model: Model, ids: readonly number[]): Promise<unknown> {
  const { model: edge, files } = compileEdge(model, { maxSequence: 16 });
  const session = await createSession(
    await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files }),
    { threads: 1 },
  );
  const outputs = await session.run({ input_ids: ids });
  session.dispose();
  return outputs;
}

function wordRows({ graph }: Model): number | undefined {
  const embed = graph.nodes.find(({ opType }) => opType === 'EmbedLayerNorm');
  return graph.initializers.get(embed?.inputs[2] ?? '')?.dims[0];
}

function vocabularyOf(tokenizer: Json): Record<string, unknown> {
  const { vocab } = tokenizer['model'] as { vocab: Record<string, number> | [string, number][] };
  return Array.isArray(vocab) ? Object.fromEntries(vocab) : vocab;
}

function unknownId(tokenizer: Json, unknown: string): number {
  const added = tokenizer['added_tokens'] as { id: number; content: string }[];
  return added.find(({ content }) => content === unknown)!.id;
}
