import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type Shape } from '../ir/index.ts';
import { gelu, geluTanh, sigmoid } from './activations.ts';
import { convActivation } from './conv-activation.ts';
import { addPerChannel, convolutionMacs, convolutionShape, convolve } from './convolution.ts';
import { mapBinary, mapUnary } from './elementwise.ts';
import { asNumbers } from './indexing.ts';
import { broadcastShapes, inferSame, shapeOf, tensorType } from './inference.ts';
import { matmul, multiplyMatrices } from './matrix-multiply.ts';
import { matmulMacs } from './matmul.ts';
import { ndArray, toScalar, type NdArray } from './nd-array.ts';
import { layerNormRows } from './normalization.ts';
import type { EvaluateContext, InferContext, NodeContext, OpDefinition } from './op-definition.ts';
import { quantizeRow, quantizeRowStatic } from './quantize-rows.ts';
import { readWindowRule } from './windows.ts';

/** The domain of the compact graph (docs/architecture.md, section 4). */
export const EDGEWISE_DOMAIN = 'edgewise';

/** Storage blocks of 4-bit weights: this many rows of K share one multiplier. */
const MULTIPLIER_BLOCK = 32;

const { fround } = Math;

const ACTIVATIONS: Readonly<Record<string, ((x: number) => number) | undefined>> = {
  relu: (x) => (x < 0 ? 0 : x),
  gelu,
  gelu_tanh: geluTanh,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
};

/** The function behind an `activation` attribute; undefined for none. */
function activationOf({ node, attributes }: NodeContext): ((x: number) => number) | undefined {
  const name = attributes.string('activation', 'none');
  if (name === 'none') return undefined;
  const activation = ACTIVATIONS[name];
  if (activation) return activation;
  throw new CompilerError('invalid-graph', `${node.opType} has the unknown activation "${name}".`, {
    at: { node: node.name || node.opType },
    hint: `Known are none, ${Object.keys(ACTIVATIONS).join(', ')}.`,
  });
}

function activated(context: NodeContext, array: NdArray): NdArray {
  const activation = activationOf(context);
  return activation ? mapUnary(array, activation) : array;
}

function linearShape(context: InferContext): Shape | undefined {
  const x = shapeOf(context, 0);
  const weight = shapeOf(context, 1);
  return x && [...x.slice(0, -1), weight?.[1] ?? null];
}

const addition = { float: (a: number, b: number): number => a + b };

function edgewise(opType: string, inputs: readonly [number, number], rest: EdgewiseRest): OpDefinition {
  return { domain: EDGEWISE_DOMAIN, opType, since: 1, inputs, ...rest };
}

type EdgewiseRest = Pick<OpDefinition, 'infer'> & Partial<OpDefinition>;

const linear = edgewise('Linear', [2, 3], {
  infer: (context) => [tensorType('float32', linearShape(context))],
  evaluate(context) {
    const product = matmul(context.input(0), context.input(1));
    const bias = context.inputs[2];
    return [activated(context, bias ? mapBinary(product, bias, addition) : product)];
  },
  macs: matmulMacs,
});

/** Weights in compute bits: 4-bit storage times its block's multiplier. */
function computeWeights(weight: NdArray, multiplier: NdArray | undefined): Int8Array {
  const stored = weight.data as Int8Array;
  if (multiplier === undefined) return stored;
  const columns = weight.dims[1] as number;
  const factors = multiplier.data as Uint8Array;
  return stored.map((q, i) => {
    const [k, n] = [Math.floor(i / columns), i % columns];
    return q * (factors[Math.floor(k / MULTIPLIER_BLOCK) * columns + n] as number);
  });
}

function columnSums(weights: Int8Array, columns: number): Int32Array {
  const sums = new Int32Array(columns);
  for (const [i, q] of weights.entries()) sums[i % columns] = (sums[i % columns] as number) + q;
  return sums;
}

const quantizedLinear = edgewise('QuantizedLinear', [3, 7], {
  infer: (context) => [tensorType('float32', linearShape(context))],
  /** Integer-exact; the float32 steps are in the order of docs/architecture.md, section 5. */
  evaluate(context) {
    const x = context.input(0);
    const weight = context.input(1);
    const weightScale = context.input(2).data as Float32Array;
    const bias = context.inputs[3]?.data as Float32Array | undefined;
    const [k, n] = weight.dims as [number, number];
    const weights = computeWeights(weight, context.inputs[4]);
    const sums = columnSums(weights, n);
    const quantizeNext = rowQuantizer(context);
    const activation = activationOf(context);
    const rows = k === 0 ? 0 : x.data.length / k;
    const out = new Float32Array(rows * n);
    const products = new Int32Array(n);
    for (let row = 0; row < rows; row++) {
      const { q, scale, zero } = quantizeNext((x.data as Float32Array).subarray(row * k, (row + 1) * k));
      multiplyMatrices(q, weights, products, { m: 1, k, n });
      for (let j = 0; j < n; j++) {
        const exact = (products[j] as number) - zero * (sums[j] as number);
        const scaled = fround(fround(fround(exact) * scale) * (weightScale[j] as number));
        const value = bias ? fround(scaled + (bias[j] as number)) : scaled;
        out[row * n + j] = activation ? activation(value) : value;
      }
    }
    return [ndArray('float32', [...x.dims.slice(0, -1), n], out)];
  },
  macs: matmulMacs,
});

function rowQuantizer(context: EvaluateContext): typeof quantizeRow {
  const scale = context.inputs[5];
  if (scale === undefined) return quantizeRow;
  const [constant, zero] = [toScalar(scale), toScalar(context.input(6))];
  return (row) => quantizeRowStatic(row, constant, zero);
}

const geluOp = edgewise('Gelu', [1, 1], {
  elementwise: true,
  infer: inferSame,
  evaluate: ({ input, attributes }) => [
    mapUnary(input(0), attributes.string('approximate', 'none') === 'tanh' ? geluTanh : gelu),
  ],
});

const layerNorm = edgewise('LayerNorm', [3, 3], {
  infer: inferSame,
  evaluate({ input, attributes }) {
    const x = input(0);
    const [gamma, beta] = [asNumbers(input(1)), asNumbers(input(2))];
    return [{ ...x, data: layerNormRows(asNumbers(x), gamma, beta, attributes.float('epsilon', 1e-5)) }];
  },
});

const addLayerNorm = edgewise('AddLayerNorm', [4, 4], {
  infer: (context) => [
    tensorType('float32', broadcastShapes(context, [shapeOf(context, 0), shapeOf(context, 1)])),
  ],
  evaluate({ input, attributes }) {
    const sum = mapBinary(input(0), input(1), addition);
    const [gamma, beta] = [asNumbers(input(2)), asNumbers(input(3))];
    return [{ ...sum, data: layerNormRows(asNumbers(sum), gamma, beta, attributes.float('epsilon', 1e-5)) }];
  },
});

const attention = edgewise('Attention', [3, 4], {
  infer(context) {
    const [q, v] = [shapeOf(context, 0), shapeOf(context, 2)];
    return [tensorType('float32', q && [...q.slice(0, -1), v?.at(-1) ?? q.at(-1) ?? null])];
  },
  evaluate(context) {
    const { attributes } = context;
    const q = context.input(0);
    const heads = attributes.int('num_heads');
    const width = q.dims[2] as number;
    const scale = attributes.float('scale', 1 / Math.sqrt(width / heads));
    return [headAttention(q, context.input(1), context.input(2), context.inputs[3], heads, scale)];
  },
  macs({ inputs, outputs }) {
    const keys = inputs[1]?.dims[1] ?? 0;
    return 2 * elementCount(outputs[0]?.dims ?? [0]) * keys;
  },
});

/** softmax(q·kᵀ·scale)·v per head over the keys that the mask keeps; q, k, v are [B, S, heads·depth]. */
function headAttention(
  q: NdArray,
  k: NdArray,
  v: NdArray,
  mask: NdArray | undefined,
  heads: number,
  scale: number,
): NdArray {
  const [batch, queries, width] = q.dims as [number, number, number];
  const keys = k.dims[1] as number;
  const outWidth = v.dims[2] as number;
  const [depth, outDepth] = [width / heads, outWidth / heads];
  const [qs, ks, vs] = [asNumbers(q), asNumbers(k), asNumbers(v)];
  const keep = mask && asNumbers(mask);
  const out = new Float32Array(batch * queries * outWidth);
  const weights = new Float64Array(keys);
  for (let b = 0; b < batch; b++) {
    for (let s = 0; s < queries; s++) {
      for (let h = 0; h < heads; h++) {
        const from = (b * queries + s) * width + h * depth;
        for (let t = 0; t < keys; t++) {
          const key = (b * keys + t) * width + h * depth;
          let dot = 0;
          for (let d = 0; d < depth; d++) dot += (qs[from + d] as number) * (ks[key + d] as number);
          weights[t] = keep && keep[b * keys + t] === 0 ? -Infinity : dot * scale;
        }
        if (!softmaxInPlace(weights)) continue;
        const to = (b * queries + s) * outWidth + h * outDepth;
        for (let d = 0; d < outDepth; d++) {
          let sum = 0;
          for (let t = 0; t < keys; t++) {
            // A dropped key contributes nothing, whatever its value holds.
            if (weights[t] !== 0)
              sum += (weights[t] as number) * (vs[(b * keys + t) * outWidth + h * outDepth + d] as number);
          }
          out[to + d] = sum;
        }
      }
    }
  }
  return ndArray('float32', [batch, queries, outWidth], out);
}

/** False when every entry is −∞. */
function softmaxInPlace(row: Float64Array): boolean {
  let top = -Infinity;
  for (const x of row) if (x > top) top = x;
  if (top === -Infinity) return false;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] = Math.exp((row[i] as number) - top);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) / sum;
  return true;
}

const embedLayerNorm = edgewise('EmbedLayerNorm', [7, 9], {
  infer: (context) => [
    tensorType('float32', [
      ...(shapeOf(context, 0) ?? [null, null]),
      shapeOf(context, 2)?.[1] ?? shapeOf(context, 5)?.[0] ?? null,
    ]),
  ],
  evaluate(context) {
    const ids = context.input(0);
    const [batch, length] = ids.dims as [number, number];
    const gamma = asNumbers(context.input(5));
    const width = gamma.length;
    const sum = new Float32Array(batch * length * width);
    addRows(sum, context.input(2), context.inputs[7], asNumbers(ids));
    const types = context.inputs[4];
    if (types) {
      const typeIds = context.inputs[1] ? asNumbers(context.inputs[1]) : new Int32Array(batch * length);
      addRows(sum, types, undefined, typeIds);
    }
    const positions = context.inputs[3];
    if (positions) addRows(sum, positions, context.inputs[8], positionIds(context, asNumbers(ids), length));
    const epsilon = context.attributes.float('epsilon', 1e-5);
    const data = layerNormRows(sum, gamma, asNumbers(context.input(6)), epsilon);
    return [ndArray('float32', [batch, length, width], data)];
  },
});

/** Adds row `ids[i]` of a table to row i. A quantized row stands for q·scale[row]. */
function addRows(
  sum: Float32Array,
  table: NdArray,
  scales: NdArray | undefined,
  ids: ArrayLike<number>,
): void {
  const [rows, width] = table.dims as [number, number];
  const from = asNumbers(table);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (!(id >= 0 && id < rows)) {
      throw new CompilerError(
        'invalid-graph',
        `The id ${id} is outside an embedding table of ${rows} rows.`,
        {
          hint: 'Check the sample inputs: ids must be below the number of rows.',
        },
      );
    }
    const scale = scales ? (scales.data[id] as number) : 1;
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      sum[at] = (sum[at] as number) + fround((from[id * width + j] as number) * scale);
    }
  }
}

/** `arange`: 0, 1, 2, …; `offset-nonpad`: RoBERTa's counting of the tokens that are not padding. */
function positionIds({ node, attributes }: NodeContext, ids: ArrayLike<number>, length: number): Int32Array {
  const kind = attributes.string('position', 'arange');
  const out = new Int32Array(ids.length);
  if (kind === 'arange') return out.map((_, i) => i % length);
  if (kind !== 'offset-nonpad') {
    throw new CompilerError('invalid-graph', `${node.opType} has the unknown position rule "${kind}".`, {
      hint: 'Known are arange and offset-nonpad.',
    });
  }
  const padding = attributes.int('padding_index');
  let count = 0;
  return out.map((_, i) => {
    if (i % length === 0) count = 0;
    if (ids[i] === padding) return padding;
    count++;
    return count + padding;
  });
}

const mapBytes = edgewise('MapBytes', [2, 2], {
  elementwise: true,
  infer: (context) => [tensorType('uint8', shapeOf(context, 0))],
  evaluate(context) {
    const [x, table] = [context.input(0), context.input(1)];
    if (x.dtype !== 'uint8' || table.dtype !== 'uint8' || table.data.length !== 256) {
      throw new CompilerError('invalid-graph', 'MapBytes takes uint8 and a table of 256 uint8.', {
        at: { node: context.node.name || context.node.opType },
      });
    }
    return [mapUnary(x, (byte) => (table.data as Uint8Array)[byte]!)];
  },
});

const conv = edgewise('Conv', [2, 3], {
  infer: (context) => [tensorType('float32', convolutionShape(context, 0, 1))],
  evaluate(context) {
    const [x, weight, bias] = [context.input(0), context.input(1), context.inputs[2]];
    const rule = readWindowRule(context.attributes, weight.dims.slice(2));
    const product = convolve(x, weight, rule, context.attributes.int('group', 1));
    const sum = bias ? addPerChannel(product, asNumbers(bias)) : product;
    const activation = convActivation(context);
    return [activation ? mapUnary(sum, activation) : sum];
  },
  macs: (context) => convolutionMacs(context, 1),
});

/** The operators of the compact graph. */
export const edgewiseOps: readonly OpDefinition[] = [
  linear,
  quantizedLinear,
  geluOp,
  layerNorm,
  addLayerNorm,
  attention,
  embedLayerNorm,
  mapBytes,
  conv,
];
