import { CompilerError } from '../../diagnostics/index.ts';
import { denseTensor, float32Tensor, isFloat32, type Node, type Tensor } from '../../ir/index.ts';
import {
  defineTransform,
  rewriteGraph,
  type Edit,
  type GraphView,
  type Transform,
} from '../../rewrite/index.ts';
import type { WeightRange } from '../weights/choose-scale.ts';
import type { LayerEffect } from '../layer-effect.ts';
import { testOf, type LayerTest } from '../layer-test.ts';
import { LOSSY } from '../lossy.ts';
import { quantizeRows } from '../weights/quantize-rows.ts';

export interface QuantizeEmbeddingsOptions {
  /** Bits per number of the word table: 8 or 4. Default 8. */
  readonly bits?: 4 | 8;
  /**
   * Bits per number of the position table. Default 8: it is small, and as every token adds one of its rows, it does as
   * much harm in 4 bits as the word table.
   */
  readonly positionBits?: 4 | 8;
  /** How each row's scale is chosen. Default: max with 8 bits (where a search gains nothing), mse with 4. */
  readonly weightRange?: WeightRange;
  /** Tables that stay float: names as `onLayer` has them, or a test of the name. Default: none. */
  readonly keepFloat?: LayerTest;
  /** Called for each table quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

export const QUANTIZE_EMBEDDINGS_DEFAULTS: Required<
  Pick<QuantizeEmbeddingsOptions, 'bits' | 'positionBits'>
> = {
  bits: 8,
  positionBits: 8,
};

/** Input positions of the tables of `EmbedLayerNorm` and of their scales. */
const TABLES = [
  { name: 'word', table: 2, scale: 7 },
  { name: 'position', table: 3, scale: 8 },
] as const;

/**
 * Stores the word and position tables of `EmbedLayerNorm` as int8 or int4 with one scale per row. The token type table
 * has two rows and stays float.
 * @throws CompilerError `bad-option` for other bits.
 */
export function quantizeEmbeddings(options: QuantizeEmbeddingsOptions = {}): Transform {
  const { bits, positionBits, ...rest } = { ...QUANTIZE_EMBEDDINGS_DEFAULTS, ...options };
  for (const [name, value] of Object.entries({ bits, positionBits })) {
    if (value !== 4 && value !== 8)
      throw new CompilerError(
        'bad-option',
        `quantizeEmbeddings: ${name} must be 4 or 8, got ${String(value)}`,
      );
  }
  return defineTransform({
    name: 'quantizeEmbeddings',
    description: 'int8 or int4 embedding tables with a scale per row',
    tolerance: LOSSY,
    apply: ({ graph }) =>
      rewriteGraph(graph, [
        {
          name: 'quantize-embeddings',
          operators: ['edgewise.EmbedLayerNorm'],
          match: (node, index) => quantizeTables(node, index, { word: bits, position: positionBits }, rest),
        },
      ]),
  });
}

function quantizeTables(
  node: Node,
  index: GraphView,
  bitsOf: Readonly<Record<'word' | 'position', 4 | 8>>,
  { weightRange, keepFloat = [], onLayer }: QuantizeEmbeddingsOptions,
): Edit | undefined {
  const inputs = [...node.inputs];
  const initializers = new Map<string, Tensor>();
  const keeps = testOf(keepFloat);
  for (const { name, table, scale } of TABLES) {
    const value = inputs[table] ?? '';
    const tensor = index.constant(value);
    const layer = `${node.name !== '' ? node.name : (node.outputs[0] ?? '')}.${name}`;
    if (tensor === undefined || !isFloat32(tensor) || tensor.dims.length !== 2 || keeps(layer)) continue;
    const bits = bitsOf[name];
    const range = weightRange ?? (bits === 8 ? 'max' : 'mse');
    const quantized = quantizeRows(tensor, { bits, range });
    if (Number.isNaN(quantized.error.sqnrDb)) continue;
    while (inputs.length <= scale) inputs.push('');
    inputs[table] = index.freshName(`${value}_quantized`);
    inputs[scale] = index.freshName(`${value}_scale`);
    initializers.set(inputs[table], denseTensor(bits === 4 ? 'int4' : 'int8', tensor.dims, quantized.data));
    initializers.set(inputs[scale], float32Tensor([quantized.scale.length], quantized.scale));
    onLayer?.({
      layer,
      operator: 'EmbedLayerNorm',
      weight: value,
      bits,
      method: `per row, ${range}`,
      ...quantized.error,
    });
  }
  if (initializers.size === 0) return undefined;
  return {
    reason: `embedding tables in ${bitsOf.word} and ${bitsOf.position} bits`,
    remove: [node],
    initializers,
    add: [{ ...node, inputs }],
  };
}
