import { CompilerError } from '../diagnostics/index.ts';
import { denseTensor, float32Tensor, type DenseTensor, type Node, type Tensor } from '../ir/index.ts';
import {
  defineTransform,
  rewriteGraph,
  type Edit,
  type GraphView,
  type Transform,
} from '../rewrite/index.ts';
import type { WeightRange } from './choose-scale.ts';
import type { LayerEffect } from './layer-effect.ts';
import { LOSSY } from './lossy.ts';
import { quantizeRows } from './quantize-rows.ts';

export interface QuantizeEmbeddingsOptions {
  /** Bits per number: 8 or 4. Default 8. */
  readonly bits?: 4 | 8;
  /** How each row's scale is chosen. Default: max with 8 bits (where a search gains nothing), mse with 4. */
  readonly weightRange?: WeightRange;
  /** Called for each table quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

export const QUANTIZE_EMBEDDINGS_DEFAULTS: Required<Pick<QuantizeEmbeddingsOptions, 'bits'>> = { bits: 8 };

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
  const { bits, onLayer } = { ...QUANTIZE_EMBEDDINGS_DEFAULTS, ...options };
  if (bits !== 4 && bits !== 8)
    throw new CompilerError('bad-option', `quantizeEmbeddings: bits must be 4 or 8, got ${String(bits)}`);
  const range = options.weightRange ?? (bits === 8 ? 'max' : 'mse');
  return defineTransform({
    name: 'quantizeEmbeddings',
    description: `int${bits} embedding tables with a scale per row`,
    tolerance: LOSSY,
    apply: ({ graph }) =>
      rewriteGraph(graph, [
        {
          name: 'quantize-embeddings',
          operators: ['edgewise.EmbedLayerNorm'],
          match: (node, index) => quantizeTables(node, index, { bits, range, onLayer }),
        },
      ]),
  });
}

function quantizeTables(
  node: Node,
  index: GraphView,
  options: { bits: 4 | 8; range: WeightRange; onLayer: QuantizeEmbeddingsOptions['onLayer'] },
): Edit | undefined {
  const inputs = [...node.inputs];
  const initializers = new Map<string, Tensor>();
  const method = `per row, ${options.range}`;
  for (const { name, table, scale } of TABLES) {
    const value = inputs[table] ?? '';
    const tensor = index.constant(value);
    if (tensor?.kind !== 'dense' || !isFloat32(tensor) || tensor.dims.length !== 2) continue;
    const quantized = quantizeRows(tensor, options);
    if (Number.isNaN(quantized.error.sqnrDb)) continue;
    while (inputs.length <= scale) inputs.push('');
    inputs[table] = index.freshName(`${value}_quantized`);
    inputs[scale] = index.freshName(`${value}_scale`);
    const dtype = options.bits === 4 ? 'int4' : 'int8';
    initializers.set(inputs[table], denseTensor(dtype, tensor.dims, quantized.data));
    initializers.set(inputs[scale], float32Tensor([quantized.scale.length], quantized.scale));
    const layer = `${node.name !== '' ? node.name : (node.outputs[0] ?? '')}.${name}`;
    const { bits } = options;
    options.onLayer?.({ layer, operator: 'EmbedLayerNorm', weight: value, bits, method, ...quantized.error });
  }
  if (initializers.size === 0) return undefined;
  return {
    reason: `embedding tables in ${options.bits} bits`,
    remove: [node],
    initializers,
    add: [{ ...node, inputs }],
  };
}

function isFloat32(tensor: DenseTensor): tensor is DenseTensor & { dtype: 'float32' } {
  return tensor.dtype === 'float32';
}
