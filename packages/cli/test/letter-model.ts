import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { float32Tensor, readOnnx, typedData, writeOnnx, type Tensor } from '@edgewise/compiler';
import { repoRoot } from '@edgewise/test-utils';

const EXPORTS = 'packages/compiler/test/fixtures/exports';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');

/**
 * Writes a model folder around one of the compiler's exports: random weights and one token per letter, enough to see that
 * the parts fit together.
 * @param files JSON by relative path, config.json and what else belongs to the model
 */
export function writeLetterModel(
  folder: string,
  exportName: string,
  files: Readonly<Record<string, unknown>>,
): void {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(repoRoot, EXPORTS, `${exportName}.onnx`), join(folder, 'model.onnx'));
  for (const [name, value] of Object.entries({ ...files, 'tokenizer.json': letterTokenizer() })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(value));
  }
}

/** MiniLM for sentence embeddings. */
export function writeEmbeddingModel(folder: string): void {
  writeLetterModel(folder, 'minilm-legacy-sdpa', {
    'config.json': { model_type: 'bert', max_position_embeddings: 64 },
    '1_Pooling/config.json': { pooling_mode_mean_tokens: true, pooling_mode_cls_token: false },
    'modules.json': [{ type: 'sentence_transformers.models.Normalize' }],
  });
}

export const EMOTIONS: readonly string[] = ['joy', 'anger', 'fear'];

/** A DistilBERT that gives each of three labels by itself. */
export function writeEmotionModel(folder: string): void {
  writeLetterModel(folder, 'distilbert-multilabel-dynamo-eager', {
    'config.json': {
      model_type: 'distilbert',
      max_position_embeddings: 64,
      id2label: Object.fromEntries(EMOTIONS.entries()),
      problem_type: 'multi_label_classification',
    },
  });
  spreadAnswers(join(folder, 'model.onnx'));
}

/** The export's logits hardly depend on the text: these are what they are about, and what is left of them is multiplied. */
const USUAL_LOGITS = [-1.57, 0.69, 0.2];
const SPREAD = 12;

function spreadAnswers(file: string): void {
  const { graph, ...rest } = readOnnx(readFileSync(file), { file });
  const spread = (name: string, usual: readonly number[]): [string, Tensor] => {
    const tensor = graph.initializers.get(name);
    if (tensor?.kind !== 'dense' || tensor.dtype !== 'float32') throw new Error(`${name} is not there`);
    const values = Array.from(typedData({ ...tensor, dtype: tensor.dtype }));
    const spreadValues = values.map((value, i) => SPREAD * (value - (usual[i] ?? 0)));
    return [name, float32Tensor(tensor.dims, spreadValues)];
  };
  const changed = [spread('classifier.weight', []), spread('classifier.bias', USUAL_LOGITS)];
  const initializers = new Map([...graph.initializers, ...changed]);
  writeFileSync(file, writeOnnx({ ...rest, graph: { ...graph, initializers } }).bytes);
}

/** Texts with the labels that `writeEmotionModel`'s model in float gives them, separated by bars. */
export const EMOTIONS_OF: Readonly<Record<string, string>> = {
  cat: 'joy',
  'the sea': 'joy|anger|fear',
  zebra: 'fear',
  quiz: 'joy|fear',
  jam: 'joy',
  'blue sky': 'anger',
  mmm: 'joy|fear',
  ok: 'anger|fear',
  kkkk: '',
  vex: 'joy',
  ah: 'joy|anger|fear',
  d: 'joy|fear',
  oooo: 'anger',
};

/** Pairs of short texts with made-up scores, as CSV. */
export function pairsCsv(): string {
  const words = ['cat', 'dog', 'a tree', 'the sea', 'blue sky', 'zebra', 'quiz', 'jam'];
  const rows = words.flatMap((a, i) =>
    words.slice(i).map((b) => `${a},${b},${a === b ? 5 : (a.length * b.length) % 4}`),
  );
  return `sentence1,sentence2,score\n${rows.join('\n')}\n`;
}

function letterTokenizer(): object {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
  const tokens = [...special, ...LETTERS, ...LETTERS.map((letter) => `##${letter}`)];
  return {
    version: '1.0',
    added_tokens: special.map((content, id) => ({ id, content, special: true })),
    normalizer: { type: 'BertNormalizer', lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    decoder: { type: 'WordPiece', prefix: '##' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}
