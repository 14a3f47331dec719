import { addDims, divDims, elementCount, mulDims, type Dim, type Shape } from '../ir/index.ts';
import { mapBinary, mapUnary } from './elementwise.ts';
import { asNumbers, broadcastTo, concatenate, sameDims, sliceAxis, transpose } from './indexing.ts';
import { dtypeOf, inferSame, shapeOf, tensorType } from './inference.ts';
import { matmul } from './matrix-multiply.ts';
import { ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** [B, heads, S, depth] of an input that may be [B, S, heads·depth]. */
function headShape(shape: Shape | undefined, heads: Dim): Shape | undefined {
  if (shape?.length !== 3) return shape;
  const [batch = null, length = null, width = null] = shape;
  return [batch, heads, length, divDims(width, heads)];
}

function inferAttention(context: InferContext): readonly ReturnType<typeof tensorType>[] {
  const { attributes } = context;
  const heads = (name: string): Dim => (attributes.has(name) ? attributes.int(name) : null);
  const flat = shapeOf(context, 0)?.length === 3;
  const q = headShape(shapeOf(context, 0), heads('q_num_heads'));
  const k = headShape(shapeOf(context, 1), heads('kv_num_heads'));
  const v = headShape(shapeOf(context, 2), heads('kv_num_heads'));
  if (q === undefined || k === undefined || v === undefined)
    return [tensorType(dtypeOf(context, 0), undefined)];
  const [batch = null, queryHeads = null, length = null] = q;
  const depth = v[3] ?? null;
  const past = context.node.inputs[4] ? (shapeOf(context, 4)?.[2] ?? null) : 0;
  const total = addDims(past, k[2] ?? null);
  const y = flat ? [batch, length, mulDims(queryHeads, depth)] : [batch, queryHeads, length, depth];
  const dtype = dtypeOf(context, 0);
  return [
    tensorType(dtype, y),
    tensorType(dtypeOf(context, 1), [batch, k[1] ?? null, total, k[3] ?? null]),
    tensorType(dtypeOf(context, 2), [batch, v[1] ?? null, total, depth]),
    tensorType(dtype, [batch, queryHeads, length, total]),
  ];
}

function splitHeads(array: NdArray, heads: number): NdArray {
  if (array.dims.length === 4) return array;
  const [batch, length, width] = array.dims as [number, number, number];
  return transpose({ ...array, dims: [batch, length, heads, width / heads] }, [0, 2, 1, 3]);
}

/** Each key and value head serves several query heads: repeat it. */
function repeatHeads(array: NdArray, heads: number): NdArray {
  const [batch, own, length, depth] = array.dims as [number, number, number, number];
  if (own === heads) return array;
  const repeated = broadcastTo({ ...array, dims: [batch, own, 1, length, depth] }, [
    batch,
    own,
    heads / own,
    length,
    depth,
  ]);
  return { ...repeated, dims: [batch, heads, length, depth] };
}

const add = { float: (a: number, b: number): number => a + b };

/** The mask as numbers to add, cut or filled with −∞ to the number of keys. */
function additiveMask(mask: NdArray, keys: number): NdArray {
  const numbers =
    mask.dtype === 'bool' ? mapUnary(mask, (keep) => (keep === 0 ? -Infinity : 0), 'float32') : mask;
  const width = numbers.dims.at(-1) as number;
  if (width >= keys) return width === keys ? numbers : sliceAxis(numbers, numbers.dims.length - 1, 0, keys);
  const dims = [...numbers.dims.slice(0, -1), keys - width];
  const rest = ndArray(numbers.dtype, dims, new Float32Array(elementCount(dims)).fill(-Infinity));
  return concatenate([numbers, rest], -1);
}

function causalMask(queries: number, keys: number, past: number): NdArray {
  const data = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - past > Math.floor(i / keys) ? -Infinity : 0,
  );
  return ndArray('float32', [queries, keys], data);
}

/** Keys from the given length of each batch entry on are padding. */
function lengthMask(lengths: readonly number[], keys: number): NdArray {
  const data = Float32Array.from({ length: lengths.length * keys }, (_, i) =>
    i % keys >= (lengths[Math.floor(i / keys)] as number) ? -Infinity : 0,
  );
  return ndArray('float32', [lengths.length, 1, 1, keys], data);
}

/** Rows whose keys are all dropped become 0. */
function softmaxRows(scores: NdArray): NdArray {
  const width = scores.dims.at(-1) as number;
  const from = asNumbers(scores);
  const data = new Float32Array(from.length);
  for (let at = 0; at < data.length; at += width) {
    let top = -Infinity;
    for (let i = 0; i < width; i++) top = Math.max(top, from[at + i] as number);
    if (top === -Infinity) continue;
    let sum = 0;
    for (let i = 0; i < width; i++) sum += Math.exp((from[at + i] as number) - top);
    for (let i = 0; i < width; i++) data[at + i] = Math.exp((from[at + i] as number) - top) / sum;
  }
  return { ...scores, data };
}

function evaluateAttention(context: EvaluateContext): readonly NdArray[] {
  const { attributes, inputs } = context;
  const flat = context.input(0).dims.length === 3;
  const q = splitHeads(context.input(0), attributes.int('q_num_heads', 0));
  const own = (index: number, pastIndex: number): NdArray => {
    const now = splitHeads(context.input(index), attributes.int('kv_num_heads', 0));
    const past = inputs[pastIndex];
    return past ? concatenate([past, now], 2) : now;
  };
  const [presentKey, presentValue] = [own(1, 4), own(2, 5)];
  const [batch, heads, queries, depth] = q.dims as [number, number, number, number];
  const keys = presentKey.dims[2] as number;
  const [k, v] = [repeatHeads(presentKey, heads), repeatHeads(presentValue, heads)];
  const scale = attributes.float('scale', 1 / Math.sqrt(depth));
  const products = mapUnary(matmul(q, transpose(k, [0, 1, 3, 2])), (x) => x * scale);
  const softcap = attributes.float('softcap', 0);
  const masks: NdArray[] = [];
  if (inputs[3]) masks.push(additiveMask(inputs[3], keys));
  if (attributes.int('is_causal', 0) === 1) masks.push(causalMask(queries, keys, inputs[4]?.dims[2] ?? 0));
  if (inputs[6]) masks.push(lengthMask(toNumbers(inputs[6]), keys));
  const masked = masks.reduce((sum, mask) => mapBinary(sum, mask, add), products);
  const capped = softcap === 0 ? masked : mapUnary(masked, (x) => softcap * Math.tanh(x / softcap));
  const weights = softmaxRows(capped);
  const y = matmul(weights, v);
  const valueDepth = v.dims[3] as number;
  const merged = { ...transpose(y, [0, 2, 1, 3]), dims: [batch, queries, heads * valueDepth] };
  const stages = [products, masked, capped, weights];
  const stage = stages[attributes.int('qk_matmul_output_mode', 0)] ?? products;
  return [flat ? merged : y, presentKey, presentValue, stage];
}

const attention: OpDefinition = {
  domain: '',
  opType: 'Attention',
  since: 23,
  inputs: [3, 7],
  outputs: [1, 4],
  infer: inferAttention,
  evaluate: evaluateAttention,
  macs({ inputs, outputs, attributes }) {
    const q = inputs[0]?.dims ?? [];
    const heads = q.length === 3 ? attributes.int('q_num_heads') : (q[1] ?? 0);
    const [queries, keys] = [q.at(-2) ?? 0, (inputs[1]?.dims.at(-2) ?? 0) + (inputs[4]?.dims[2] ?? 0)];
    const width = q.length === 3 ? (q[2] ?? 0) : heads * (q[3] ?? 0);
    const out = elementCount(outputs[0]?.dims ?? [0]) / Math.max(1, queries);
    return queries * keys * ((q[0] ?? 0) * width + out);
  },
};

const rotaryEmbedding: OpDefinition = {
  domain: '',
  opType: 'RotaryEmbedding',
  since: 23,
  inputs: [3, 4],
  infer: inferSame,
  /** Rotates pairs of features by position: halves, or neighbours when `interleaved`. */
  evaluate(context) {
    const { attributes } = context;
    const input = context.input(0);
    const x = splitHeads(input, attributes.int('num_heads', 0));
    const [batch, heads, length, depth] = x.dims as [number, number, number, number];
    const rotated = attributes.int('rotary_embedding_dim', 0) || depth;
    const half = rotated / 2;
    const positions = context.inputs[3] && asNumbers(context.inputs[3]);
    const [cos, sin] = [asNumbers(context.input(1)), asNumbers(context.input(2))];
    const perBatch = positions === undefined && !sameDims(context.input(1).dims.slice(0, 1), [1]);
    const from = asNumbers(x);
    const data = Float32Array.from(from);
    const interleaved = attributes.int('interleaved', 0) === 1;
    for (let row = 0; row < batch * heads * length; row++) {
      const [b, s] = [Math.floor(row / (heads * length)), row % length];
      const position = positions ? (positions[b * length + s] as number) : (perBatch ? b * length : 0) + s;
      for (let i = 0; i < half; i++) {
        const first = row * depth + (interleaved ? 2 * i : i);
        const second = first + (interleaved ? 1 : half);
        const [c, d] = [cos[position * half + i] as number, sin[position * half + i] as number];
        const [real, imaginary] = [from[first] as number, from[second] as number];
        data[first] = c * real - d * imaginary;
        data[second] = d * real + c * imaginary;
      }
    }
    const result = { ...x, data };
    return [input.dims.length === 4 ? result : { ...transpose(result, [0, 2, 1, 3]), dims: input.dims }];
  },
};

/** Attention as an operator of ai.onnx. */
export const attentionOps: readonly OpDefinition[] = [attention, rotaryEmbedding];
