import { elementCount, mulDims, type Dim, type Shape, type TensorType } from '../ir/index.ts';
import { gelu, geluTanh, sigmoid } from './activations.ts';
import { mapBinary, mapUnary } from './elementwise.ts';
import { asNumbers, transpose } from './indexing.ts';
import { broadcastShapes, dtypeOf, inferSame, shapeOf, tensorType } from './inference.ts';
import { matmul } from './matrix-multiply.ts';
import { matmulMacs, matmulShape } from './matmul.ts';
import { ndArray, toScalar, type NdArray } from './nd-array.ts';
import { layerNormRows, rmsNormRows } from './normalization.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';
import { quantizeRow } from './quantize-rows.ts';
import { quantizeArray } from './quantize-linear.ts';

/** onnxruntime's own operators (ContribOperators.md of onnxruntime 1.23); all are version 1 of this domain. */
const CONTRIB_DOMAIN = 'com.microsoft';

type ContribRest = Pick<OpDefinition, 'infer'> & Partial<OpDefinition>;

function contrib(opType: string, inputs: readonly [number, number], rest: ContribRest): OpDefinition {
  return { domain: CONTRIB_DOMAIN, opType, since: 1, inputs, ...rest };
}

const add = { float: (a: number, b: number): number => a + b };

/** A function of x plus an optional bias. */
function activation(
  opType: string,
  biased: boolean,
  make: (context: EvaluateContext) => (x: number) => number,
): OpDefinition {
  return contrib(opType, [1, biased ? 2 : 1], {
    infer: inferSame,
    elementwise: true,
    evaluate(context) {
      const bias = context.inputs[1];
      const x = bias ? mapBinary(context.input(0), bias, add) : context.input(0);
      return [mapUnary(x, make(context))];
    },
  });
}

/** x + skip + bias, and what LayerNorm makes of it. Outputs: normalized, mean, inverse deviation, sum. */
function skipNormalization(
  opType: string,
  normalize: (sum: Float32Array, context: EvaluateContext) => Float32Array,
  biasAt: number,
): OpDefinition {
  return contrib(opType, [3, biasAt + 1], {
    outputs: [1, 4],
    infer(context) {
      const shape = shapeOf(context, 0);
      const statistics = tensorType('float32', shape && [...shape.slice(0, -1), 1]);
      return [context.types[0], statistics, statistics, context.types[0]];
    },
    evaluate(context) {
      const skipped = mapBinary(context.input(0), context.input(1), add);
      const bias = context.inputs[biasAt];
      const sum = bias ? mapBinary(skipped, bias, add) : skipped;
      const none = ndArray('float32', [0]);
      return [{ ...sum, data: normalize(asNumbers(sum) as Float32Array, context) }, none, none, sum];
    },
  });
}

const skipLayerNormalization = skipNormalization(
  'SkipLayerNormalization',
  (sum, context) => {
    const beta = context.inputs[3];
    const epsilon = context.attributes.float('epsilon', 1e-12);
    return layerNormRows(sum, asNumbers(context.input(2)), beta && asNumbers(beta), epsilon);
  },
  4,
);

const skipSimplified = skipNormalization(
  'SkipSimplifiedLayerNormalization',
  (sum, context) => rmsNormRows(sum, asNumbers(context.input(2)), context.attributes.float('epsilon', 1e-12)),
  3,
);

const simplified: OpDefinition = {
  // onnxruntime writes it into the standard domain, where ONNX has no operator of this name.
  domain: '',
  opType: 'SimplifiedLayerNormalization',
  since: 1,
  inputs: [2, 2],
  outputs: [1, 2],
  infer: inferSame,
  evaluate(context) {
    const x = context.input(0);
    const epsilon = context.attributes.float('epsilon', 1e-5);
    return [{ ...x, data: rmsNormRows(asNumbers(x), asNumbers(context.input(1)), epsilon) }];
  },
};

function swapLast<T>(list: readonly T[]): T[] {
  return list.length < 2 ? [...list] : [...list.slice(0, -2), list.at(-1) as T, list.at(-2) as T];
}

const fusedMatMul = contrib('FusedMatMul', [2, 2], {
  infer(context) {
    const side = (index: number, name: string): Shape | undefined => {
      const shape = shapeOf(context, index);
      return shape && context.attributes.int(name, 0) === 1 ? swapLast(shape) : shape;
    };
    return [tensorType(dtypeOf(context, 0), matmulShape(context, side(0, 'transA'), side(1, 'transB')))];
  },
  evaluate(context) {
    const side = (index: number, name: string): NdArray => {
      const array = context.input(index);
      return context.attributes.int(name, 0) === 1
        ? transpose(array, swapLast([...array.dims.keys()]))
        : array;
    };
    const alpha = context.attributes.float('alpha', 1);
    return [mapUnary(matmul(side(0, 'transA'), side(1, 'transB')), (x) => x * alpha)];
  },
  macs({ inputs, outputs, attributes }) {
    const inner = inputs[0]?.dims.at(attributes.int('transA', 0) === 1 ? -2 : -1) ?? 0;
    return elementCount(outputs[0]?.dims ?? [0]) * inner;
  },
});

function quantizedProductType(context: InferContext): readonly (TensorType | undefined)[] {
  return [tensorType('float32', matmulShape(context, shapeOf(context, 0), shapeOf(context, 1)))];
}

/** (a − zeroA)·(b − zeroB)·scales + bias, with b's parameters per tensor or per column. */
function quantizedProduct(
  a: { array: NdArray; scale: number; zero: number },
  b: { array: NdArray; scale: NdArray; zero: NdArray | undefined },
  bias: NdArray | undefined,
): NdArray {
  const columns = b.array.dims.at(-1) as number;
  const zeros = b.zero && asNumbers(b.zero);
  const left = mapUnary(a.array, (x) => x - a.zero, 'int32');
  const stored = asNumbers(b.array);
  const right = ndArray(
    'int32',
    b.array.dims,
    Int32Array.from(stored, (x, i) => x - (zeros?.[zeros.length === 1 ? 0 : i % columns] ?? 0)),
  );
  const sums = matmul(left, right, 'int32');
  const scales = asNumbers(b.scale);
  const data = Float32Array.from(
    sums.data as Int32Array,
    (sum, i) => sum * Math.fround(a.scale * (scales[scales.length === 1 ? 0 : i % columns] as number)),
  );
  const product = ndArray('float32', sums.dims, data);
  return bias ? mapBinary(product, bias, add) : product;
}

const dynamicQuantizeMatMul = contrib('DynamicQuantizeMatMul', [3, 5], {
  infer: quantizedProductType,
  evaluate(context) {
    const x = context.input(0);
    const { scale, zero } = quantizeRow(x.data as Float32Array);
    const array = quantizeArray(x, { scaleOf: () => scale, zeroOf: () => zero }, 'uint8');
    const weight = { array: context.input(1), scale: context.input(2), zero: context.inputs[3] };
    return [quantizedProduct({ array, scale, zero }, weight, context.inputs[4])];
  },
  macs: matmulMacs,
});

const matMulIntegerToFloat = contrib('MatMulIntegerToFloat', [4, 7], {
  infer: quantizedProductType,
  evaluate(context) {
    const zero = context.inputs[4];
    const left = {
      array: context.input(0),
      scale: toScalar(context.input(2)),
      zero: zero ? toScalar(zero) : 0,
    };
    const right = { array: context.input(1), scale: context.input(3), zero: context.inputs[5] };
    return [quantizedProduct(left, right, context.inputs[6])];
  },
  macs: matmulMacs,
});

const matMulNBits = contrib('MatMulNBits', [3, 6], {
  infer(context) {
    const x = shapeOf(context, 0);
    return [tensorType(dtypeOf(context, 0), x && [...x.slice(0, -1), context.attributes.int('N')])];
  },
  macs: matmulMacs,
});

/** Fused attention: [B, S, width of v]; the key and value caches are not followed. */
const attention = contrib('Attention', [2, 7], {
  outputs: [1, 2],
  infer(context) {
    const [x, weight] = [shapeOf(context, 0), shapeOf(context, 1)];
    const sizes = context.attributes.ints('qkv_hidden_sizes');
    const total = weight?.[1];
    const width: Dim = sizes?.[2] ?? (typeof total === 'number' ? total / 3 : null);
    return [tensorType(dtypeOf(context, 0), x && [...x.slice(0, -1), width])];
  },
  /** The three projections, then scores and their weighted sum. */
  macs({ inputs, outputs }) {
    const [batch = 0, length = 0] = inputs[0]?.dims ?? [];
    const projections = batch * length * elementCount(inputs[1]?.dims ?? [0]);
    return projections + 2 * elementCount(outputs[0]?.dims ?? [0]) * length;
  },
});

const multiHeadAttention = contrib('MultiHeadAttention', [1, 10], {
  outputs: [1, 4],
  infer(context) {
    const [q, v] = [shapeOf(context, 0), shapeOf(context, 2)];
    // A packed query is [B, S, heads, 3, depth]; a value with heads apart is [B, heads, T, depth].
    if (q?.length === 5)
      return [
        tensorType(dtypeOf(context, 0), [q[0] ?? null, q[1] ?? null, mulDims(q[2] ?? null, q[4] ?? null)]),
      ];
    const width = v?.length === 4 ? mulDims(v[1] ?? null, v[3] ?? null) : (v?.[2] ?? q?.[2] ?? null);
    return [tensorType(dtypeOf(context, 0), q && [q[0] ?? null, q[1] ?? null, width])];
  },
  /** Scores and their weighted sum over the keys of this run. */
  macs({ inputs, outputs }) {
    const keys = inputs[1]?.dims.at(-2) ?? inputs[0]?.dims[1] ?? 0;
    return 2 * elementCount(outputs[0]?.dims ?? [0]) * keys;
  },
});

const groupQueryAttention = contrib('GroupQueryAttention', [7, 14], {
  outputs: [1, 4],
  infer(context) {
    const [q, k] = [shapeOf(context, 0), shapeOf(context, 1)];
    const heads = context.attributes.int('num_heads');
    const packed = context.node.inputs[1] === '';
    const total = q?.[2];
    const depth =
      typeof total === 'number' ? total / (heads + 2 * context.attributes.int('kv_num_heads')) : null;
    const width: Dim = packed ? mulDims(depth, heads) : k && q ? (q[2] ?? null) : null;
    return [tensorType(dtypeOf(context, 0), q && [q[0] ?? null, q[1] ?? null, width])];
  },
});

const embedLayerNormalization = contrib('EmbedLayerNormalization', [7, 9], {
  outputs: [1, 3],
  infer(context) {
    const ids = shapeOf(context, 0);
    const dtype = dtypeOf(context, 2);
    const dims = ids && [...ids, shapeOf(context, 2)?.[1] ?? null];
    return [tensorType(dtype, dims), tensorType('int32', [ids?.[0] ?? null]), tensorType(dtype, dims)];
  },
});

const rotaryEmbedding = contrib('RotaryEmbedding', [4, 4], { infer: inferSame });

const biasAdd = contrib('BiasAdd', [3, 3], {
  infer: (context) => [
    tensorType(dtypeOf(context, 0), broadcastShapes(context, [shapeOf(context, 0), shapeOf(context, 2)])),
  ],
  evaluate: (context) => [
    mapBinary(mapBinary(context.input(0), context.input(1), add), context.input(2), add),
  ],
});

/** Operators of onnxruntime that optimized exports contain. */
export const contribOps: readonly OpDefinition[] = [
  activation('Gelu', false, () => gelu),
  activation('BiasGelu', true, () => gelu),
  activation('FastGelu', true, () => geluTanh),
  activation('QuickGelu', false, ({ attributes }) => {
    const alpha = attributes.float('alpha', 1.702);
    return (x) => x * sigmoid(alpha * x);
  }),
  skipLayerNormalization,
  skipSimplified,
  simplified,
  fusedMatMul,
  dynamicQuantizeMatMul,
  matMulIntegerToFloat,
  matMulNBits,
  attention,
  multiHeadAttention,
  groupQueryAttention,
  embedLayerNormalization,
  rotaryEmbedding,
  biasAdd,
];
