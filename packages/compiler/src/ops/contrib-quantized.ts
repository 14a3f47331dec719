import type { Shape } from '../ir/index.ts';
import { elementCount } from '../ir/index.ts';
import { mapBinary, mapUnary } from './elementwise.ts';
import { roundHalfEven } from './float-formats.ts';
import { asNumbers, concatenate } from './indexing.ts';
import { broadcastShapes, dtypeOf, inferSame, shapeOf, tensorType } from './inference.ts';
import { matmul } from './matrix-multiply.ts';
import { fromNumbers, ndArray, toScalar, type NdArray } from './nd-array.ts';
import type { EvaluateContext, NodeContext, OpDefinition } from './op-definition.ts';
import { pooledShape } from './pooling.ts';

type Rest = Pick<OpDefinition, 'infer'> & Partial<OpDefinition>;

function quantized(opType: string, inputs: readonly [number, number], rest: Rest): OpDefinition {
  return { domain: 'com.microsoft', opType, since: 1, inputs, ...rest };
}

const { fround } = Math;

/** The real numbers behind input `at`, whose scale and zero point follow it. */
function restored(context: EvaluateContext, at: number): NdArray {
  const [scale, zero] = [toScalar(context.input(at + 1)), context.inputs[at + 2]];
  const offset = zero ? toScalar(zero) : 0;
  return mapUnary(toFloat(context.input(at)), (x) => (x - offset) * scale);
}

function toFloat(array: NdArray): NdArray {
  return ndArray('float32', array.dims, Float32Array.from(asNumbers(array)));
}

/** Real numbers on the grid at inputs `at` (scale) and `at + 1` (zero point). */
function onGrid(context: EvaluateContext, real: NdArray, at: number): NdArray {
  const [scale, zero] = [toScalar(context.input(at)), context.inputs[at + 1]];
  const offset = zero ? toScalar(zero) : 0;
  const dtype = zero?.dtype ?? 'uint8';
  const values = Float64Array.from(asNumbers(real), (x) => roundHalfEven(fround(x / scale)) + offset);
  return fromNumbers(dtype, real.dims, values);
}

function arithmetic(opType: string, apply: (a: number, b: number) => number): OpDefinition {
  return quantized(opType, [7, 8], {
    infer: (context) => [
      tensorType(dtypeOf(context, 0), broadcastShapes(context, [shapeOf(context, 0), shapeOf(context, 3)])),
    ],
    evaluate: (context) => [
      onGrid(context, mapBinary(restored(context, 0), restored(context, 3), { float: apply }), 6),
    ],
  });
}

const concat = quantized('QLinearConcat', [5, Infinity], {
  infer(context) {
    const shapes = partsOf(context).map((at) => shapeOf(context, at));
    const [first] = shapes;
    if (first === undefined) return [tensorType(dtypeOf(context, 2), undefined)];
    const axis = (context.attributes.int('axis') + first.length) % first.length;
    const extents = shapes.map((shape) => shape?.[axis]);
    const total = extents.every((extent) => typeof extent === 'number')
      ? extents.reduce((sum, extent) => sum + extent, 0)
      : null;
    const joined = first.map((dim, position) => (position === axis ? total : dim));
    return [tensorType(dtypeOf(context, 2), joined)];
  },
  evaluate(context) {
    const parts = partsOf(context).map((at) => restored(context, at));
    return [onGrid(context, concatenate(parts, context.attributes.int('axis')), 0)];
  },
});

/** Positions of the joined values: each is followed by its scale and zero point. */
function partsOf({ node }: NodeContext): number[] {
  return Array.from({ length: (node.inputs.length - 2) / 3 }, (_, i) => 2 + 3 * i);
}

const globalAveragePool = quantized('QLinearGlobalAveragePool', [5, 5], {
  infer: (context) => [
    tensorType(
      dtypeOf(context, 0),
      shapeOf(context, 0)?.map((dim, axis) => (axis < 2 ? dim : 1)),
    ),
  ],
  evaluate(context) {
    const x = restored(context, 0);
    const area = elementCount(x.dims.slice(2));
    const from = asNumbers(x);
    const dims = x.dims.map((dim, axis) => (axis < 2 ? dim : 1));
    const means = Float32Array.from({ length: elementCount(dims) }, (_, plane) => {
      let sum = 0;
      for (let i = 0; i < area; i++) sum += from[plane * area + i] as number;
      return sum / area;
    });
    return [onGrid(context, ndArray('float32', dims, means), 3)];
  },
});

const averagePool = quantized('QLinearAveragePool', [4, 5], {
  infer: (context) => [tensorType(dtypeOf(context, 0), pooledShape(context))],
});

/** a [M, K] · b [K, N] (or [N, K] with transB) + bias; without a grid for it the output is float. */
const gemm = quantized('QGemm', [6, 9], {
  infer(context) {
    const [a, b] = [shapeOf(context, 0), shapeOf(context, 3)];
    const width = b?.[context.attributes.int('transB', 0) === 1 ? 0 : 1] ?? null;
    const shape: Shape | undefined = a && [
      a[context.attributes.int('transA', 0) === 1 ? 1 : 0] ?? null,
      width,
    ];
    const isFloat = (context.node.inputs[7] ?? '') === '';
    return [tensorType(isFloat ? 'float32' : dtypeOf(context, 0), shape)];
  },
  evaluate(context) {
    const [a, b] = [turned(context, 0, 'transA'), turned(context, 3, 'transB')];
    const sums = matmul(a, b, 'int32');
    const columns = sums.dims[1] as number;
    const bias = context.inputs[6] && asNumbers(context.inputs[6]);
    const scales = asNumbers(context.input(4));
    const factor = fround(toScalar(context.input(1)) * context.attributes.float('alpha', 1));
    const real = Float32Array.from(asNumbers(sums), (sum, i) => {
      const exact = sum + (bias ? (bias[i % columns] as number) : 0);
      return exact * fround(factor * (scales[scales.length === 1 ? 0 : i % columns] as number));
    });
    const product = ndArray('float32', sums.dims, real);
    return [context.inputs[7] === undefined ? product : onGrid(context, product, 7)];
  },
  macs: ({ inputs, outputs }) => elementCount(outputs[0]?.dims ?? [0]) * (inputs[0]?.dims[1] ?? 0),
});

/** An integer matrix without its zero point, turned where the attribute says so. */
function turned(context: EvaluateContext, at: number, attribute: string): NdArray {
  const array = context.input(at);
  const zeros = asNumbers(context.input(at + 2));
  const [rows, columns] = array.dims as [number, number];
  const isTurned = context.attributes.int(attribute, 0) === 1;
  const from = asNumbers(array);
  const data = new Int32Array(from.length);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    // One zero point for all, or one per column of the product.
    const zero = zeros[zeros.length === 1 ? 0 : isTurned ? row : column] as number;
    data[isTurned ? column * rows + row : i] = (from[i] as number) - zero;
  }
  return ndArray('int32', isTurned ? [columns, rows] : [rows, columns], data);
}

/** onnxruntime's operators on 8-bit values; those that move or tabulate them are ai.onnx's. */
export const contribQuantizedOps: readonly OpDefinition[] = [
  arithmetic('QLinearAdd', (a, b) => a + b),
  arithmetic('QLinearMul', (a, b) => a * b),
  concat,
  globalAveragePool,
  averagePool,
  gemm,
  quantized('QLinearSigmoid', [4, 5], { infer: inferSame }),
  quantized('QLinearLeakyRelu', [4, 5], { infer: inferSame }),
];
