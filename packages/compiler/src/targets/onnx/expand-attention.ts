import { CompilerError } from '../../diagnostics/index.ts';
import { DATA_TYPE_CODES } from '../../ir/index.ts';
import { floatAttribute, intAttribute } from '../../transforms/node-attributes.ts';
import type { Expansion } from './expansion.ts';

const BOOL = BigInt(DATA_TYPE_CODES.bool);
const INT32 = BigInt(DATA_TYPE_CODES.int32);

/** Lowest float32 score: its exponential is 0, and unlike −∞ it leaves no NaN where every key is dropped. */
const DROPPED = -3.4028234663852886e38;

/**
 * MultiHeadAttention of com.microsoft, or MatMul and Softmax. Where every key of a row is dropped these average
 * the values, while the edgewise operator gives 0.
 */
export function expandAttention(e: Expansion): string {
  const scale = floatAttribute(e.node, 'scale', Number.NaN);
  if (!e.node.attributes.has('num_heads') || Number.isNaN(scale))
    throw new CompilerError('invalid-graph', 'edgewise.Attention needs num_heads and scale', {
      at: { node: e.node.name || e.node.opType },
    });
  const heads = BigInt(intAttribute(e.node, 'num_heads', 1));
  return e.options.contrib ? multiHeadAttention(e, heads, scale) : plainAttention(e, heads, scale);
}

function multiHeadAttention(e: Expansion, heads: bigint, scale: number): string {
  const inputs = [e.required(0), e.required(1), e.required(2)];
  const mask = e.optional(3);
  if (mask !== undefined) inputs.push('', keepMask(e, mask, true));
  return e.addMicrosoft('attention', 'MultiHeadAttention', inputs, { num_heads: heads, scale });
}

function plainAttention(e: Expansion, heads: bigint, scale: number): string {
  const split = e.ints('split', 0, 0, Number(heads), -1);
  const headsOf = (input: number, name: string, perm: readonly bigint[]): string => {
    const shaped = e.add(`${name}/split`, 'Reshape', [e.required(input), split]);
    return e.add(`${name}/heads`, 'Transpose', [shaped], { perm });
  };
  const query = headsOf(0, 'query', [0n, 2n, 1n, 3n]);
  const key = headsOf(1, 'key', [0n, 2n, 3n, 1n]);
  const value = headsOf(2, 'value', [0n, 2n, 1n, 3n]);
  const products = e.add('products', 'MatMul', [query, key]);
  let scores = e.add('scores', 'Mul', [products, e.scalar('scale', scale)]);
  const mask = e.optional(3);
  if (mask !== undefined) {
    const keep = e.add('keep', 'Unsqueeze', [keepMask(e, mask, false), e.ints('mask_axes', 1, 2)]);
    scores = e.add('masked', 'Where', [keep, scores, e.scalar('dropped', DROPPED)]);
  }
  const weights = e.add('weights', 'Softmax', [scores], { axis: -1n });
  const mixed = e.add('mixed', 'MatMul', [weights, value]);
  const merged = e.add('merged', 'Transpose', [mixed], { perm: [0n, 2n, 1n, 3n] });
  return e.add('attention', 'Reshape', [merged, e.ints('merge', 0, 0, -1)]);
}

/** The mask as bool or int32, whatever its type: only 0 drops a key. Layers share it. */
function keepMask(e: Expansion, mask: string, asInteger: boolean): string {
  const [keep = ''] = e.shared(mask, ['keep'], 'Cast', [mask], { to: BOOL });
  if (!asInteger) return keep;
  const [integer = ''] = e.shared(mask, ['keep_int32'], 'Cast', [keep], { to: INT32 });
  return integer;
}
