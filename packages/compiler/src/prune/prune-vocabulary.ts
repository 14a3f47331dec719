import { CompilerError } from '../diagnostics/index.ts';
import { float32Tensor, isFloat32, typedData, type Float32Tensor, type Node } from '../ir/index.ts';
import {
  defineTransform,
  rewriteGraph,
  LOSSLESS,
  type Edit,
  type GraphView,
  type Transform,
} from '../rewrite/index.ts';
import { intAttribute, stringAttribute } from '../transforms/node-attributes.ts';
import type { TokenIds } from './tokenizer/token-model.ts';

export interface PruneVocabularyOptions {
  /** New id by old id of the tokens that stay, from `chooseVocabulary`; new ids count from 0 without gaps. */
  readonly ids: TokenIds;
}

const WORD_TABLE = 2;

/**
 * Drops the rows of the word table of `EmbedLayerNorm` whose tokens do not stay. A text whose tokens all stay gives the same bits,
 * with its ids renumbered.
 *
 * ```ts
 * const { ids } = chooseVocabulary({ tokenizer, counts: countTokens(corpus.map(encode)) });
 * const { model } = await runPasses(compact, [pruneVocabulary({ ids })]);
 * const json = restrictTokenizer(tokenizer, ids);
 * ```
 * Run it after the encoder recipe and before quantization.
 * @throws CompilerError `unsupported` for a table that other nodes read too, or whose padding token gets another id while
 * positions count from it; `bad-option` for ids beyond the table.
 */
export function pruneVocabulary({ ids }: PruneVocabularyOptions): Transform {
  const kept = [...ids].toSorted(([, a], [, b]) => a - b).map(([id]) => id);
  return defineTransform({
    name: 'pruneVocabulary',
    description: 'drop the embeddings of tokens that are not needed',
    // For inputs with the new ids, which a check with the old ones cannot make.
    tolerance: LOSSLESS,
    apply: ({ graph }) => {
      const done = new Set<string>();
      return rewriteGraph(graph, [
        {
          name: 'prune-vocabulary',
          operators: ['edgewise.EmbedLayerNorm'],
          match: (node, index) => dropRows(node, index, kept, done),
        },
      ]);
    },
  });
}

function dropRows(
  node: Node,
  index: GraphView,
  kept: readonly number[],
  done: Set<string>,
): Edit | undefined {
  const [ids = '', , word = ''] = node.inputs;
  if (done.has(ids)) return undefined;
  const table = index.constant(word);
  if (table === undefined || !isFloat32(table) || table.dims.length !== 2) return undefined;
  if (index.consumers(word).length > 1)
    throw new CompilerError('unsupported', `pruneVocabulary: other nodes read the word table '${word}' too`, {
      at: { value: word },
      hint: 'the vocabulary of a model that predicts tokens cannot be pruned',
    });
  checkPadding(node, kept);
  const name = index.freshName(`${word}_pruned`);
  const inputs = node.inputs.with(WORD_TABLE, name);
  done.add(ids);
  return {
    reason: `${kept.length} of ${table.dims[0]} tokens`,
    remove: [node],
    add: [{ ...node, inputs }],
    initializers: new Map([[name, takeRows(word, table, kept)]]),
  };
}

/** RoBERTa's positions count from the padding token's id. */
function checkPadding(node: Node, kept: readonly number[]): void {
  if (stringAttribute(node, 'position', 'arange') !== 'offset-nonpad') return;
  const padding = intAttribute(node, 'padding_index', 0);
  if (kept[padding] === padding) return;
  throw new CompilerError(
    'unsupported',
    `pruneVocabulary: positions count from the padding token ${padding}, whose id would change`,
    {
      at: { node: node.name },
      hint: 'keep all tokens up to it',
    },
  );
}

function takeRows(name: string, table: Float32Tensor, kept: readonly number[]): Float32Tensor {
  const [rows = 0, width = 0] = table.dims;
  const beyond = kept.find((id) => id >= rows);
  if (beyond !== undefined)
    throw new CompilerError(
      'bad-option',
      `pruneVocabulary: the word table '${name}' has ${rows} rows, none for token ${beyond}`,
      {
        at: { value: name },
        hint: 'the tokenizer is not the one of this model',
      },
    );
  const from = typedData(table);
  const to = new Float32Array(kept.length * width);
  for (const [row, id] of kept.entries()) to.set(from.subarray(id * width, (id + 1) * width), row * width);
  return float32Tensor([kept.length, width], to);
}
