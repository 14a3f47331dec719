import { elementCount, type DataType } from '../ir/index.ts';
import { dtypeAttribute } from './cast.ts';
import { addPerChannel, convolutionMacs, convolutionShape, convolve } from './convolution.ts';
import { roundHalfEven } from './float-formats.ts';
import { aroundAxis, asNumbers, normalizeAxis } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType } from './inference.ts';
import { matmul } from './matrix-multiply.ts';
import { matmulMacs, matmulShape } from './matmul.ts';
import { allocate, fromNumbers, integerLimits, ndArray, toScalar, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';
import { quantizeRow } from './quantize-rows.ts';
import { readWindowRule } from './windows.ts';

/** For each element of `dims`, the element of the parameter (scale or zero point) that belongs to it. */
function parameterIndex(
  dims: readonly number[],
  parameter: NdArray,
  axis: number,
  blockSize: number,
): (flat: number) => number {
  if (parameter.data.length === 1) return () => 0;
  const at = normalizeAxis(axis, dims.length);
  const { extent, inner } = aroundAxis(dims, at);
  if (blockSize === 0) return (flat) => Math.floor(flat / inner) % extent;
  const blocks = Math.ceil(extent / blockSize);
  return (flat) => {
    const outer = Math.floor(flat / (inner * extent));
    const block = Math.floor((Math.floor(flat / inner) % extent) / blockSize);
    return (outer * blocks + block) * inner + (flat % inner);
  };
}

interface Grid {
  readonly scaleOf: (flat: number) => number;
  readonly zeroOf: (flat: number) => number;
}

function gridOf(context: EvaluateContext, dims: readonly number[]): Grid {
  const scale = context.input(1);
  const index = parameterIndex(
    dims,
    scale,
    context.attributes.int('axis', 1),
    context.attributes.int('block_size', 0),
  );
  const scales = asNumbers(scale);
  const zero = context.inputs[2];
  const zeros = zero && asNumbers(zero);
  return {
    scaleOf: (flat) => scales[index(flat)] as number,
    zeroOf: (flat) => (zeros ? (zeros[index(flat)] as number) : 0),
  };
}

function quantizedType(context: InferContext): DataType {
  return dtypeOf(context, 2) ?? dtypeAttribute(context.attributes, 'output_dtype', 'uint8');
}

/** q = saturate(round(x / scale) + zero), the division in float32. */
export function quantizeArray(x: NdArray, grid: Grid, dtype: DataType): NdArray {
  const { low, high } = integerLimits(dtype);
  const from = asNumbers(x);
  const data = allocate(dtype, from.length);
  for (let i = 0; i < from.length; i++) {
    const q = roundHalfEven(Math.fround((from[i] as number) / grid.scaleOf(i))) + grid.zeroOf(i);
    data[i] = Math.min(Math.max(q, low), high);
  }
  return { dtype, dims: x.dims, data };
}

const quantizeLinear: OpDefinition = {
  domain: '',
  opType: 'QuantizeLinear',
  since: 10,
  inputs: [2, 3],
  infer: (context) => [tensorType(quantizedType(context), shapeOf(context, 0))],
  evaluate(context) {
    const x = context.input(0);
    const named = context.attributes.int('output_dtype', 0);
    const dtype =
      context.inputs[2]?.dtype ??
      (named === 0 ? 'uint8' : dtypeAttribute(context.attributes, 'output_dtype'));
    return [quantizeArray(x, gridOf(context, x.dims), dtype)];
  },
};

const dequantizeLinear: OpDefinition = {
  domain: '',
  opType: 'DequantizeLinear',
  since: 10,
  inputs: [2, 3],
  infer: (context) => [tensorType(dtypeOf(context, 1) ?? 'float32', shapeOf(context, 0))],
  evaluate(context) {
    const x = context.input(0);
    const { scaleOf, zeroOf } = gridOf(context, x.dims);
    const from = asNumbers(x);
    const { dtype } = context.input(1);
    const data = allocate(dtype, from.length);
    for (let i = 0; i < from.length; i++) data[i] = ((from[i] as number) - zeroOf(i)) * scaleOf(i);
    return [{ dtype, dims: x.dims, data }];
  },
};

const dynamicQuantizeLinear: OpDefinition = {
  domain: '',
  opType: 'DynamicQuantizeLinear',
  since: 11,
  inputs: [1, 1],
  outputs: [3, 3],
  infer: (context) => [
    tensorType('uint8', shapeOf(context, 0)),
    tensorType('float32', []),
    tensorType('uint8', []),
  ],
  evaluate(context) {
    const x = context.input(0);
    const { scale, zero } = quantizeRow(x.data as Float32Array);
    const q = quantizeArray(x, { scaleOf: () => scale, zeroOf: () => zero }, 'uint8');
    return [q, ndArray('float32', [], Float32Array.of(scale)), ndArray('uint8', [], Uint8Array.of(zero))];
  },
};

/** Subtracts a zero point: one number, one per row or column, or none. */
function withoutZero(array: NdArray, zero: NdArray | undefined, axis: number): NdArray {
  const from = asNumbers(array);
  if (zero === undefined) return { ...array, dtype: 'int32', data: Int32Array.from(from) };
  const zeros = asNumbers(zero);
  const index = parameterIndex(array.dims, zero, axis, 0);
  return { ...array, dtype: 'int32', data: Int32Array.from(from, (x, i) => x - (zeros[index(i)] as number)) };
}

/** The zero point of a left operand is per row, that of a right one per column. */
const ROWS = -2;
const COLUMNS = -1;

function axisFor(array: NdArray, axis: number): number {
  return array.dims.length === 1 ? 0 : axis;
}

const matMulInteger: OpDefinition = {
  domain: '',
  opType: 'MatMulInteger',
  since: 10,
  inputs: [2, 4],
  infer: (context) => [tensorType('int32', matmulShape(context, shapeOf(context, 0), shapeOf(context, 1)))],
  evaluate(context) {
    const [a, b] = [context.input(0), context.input(1)];
    const left = withoutZero(a, context.inputs[2], axisFor(a, ROWS));
    return [matmul(left, withoutZero(b, context.inputs[3], axisFor(b, COLUMNS)), 'int32')];
  },
  macs: matmulMacs,
};

const convInteger: OpDefinition = {
  domain: '',
  opType: 'ConvInteger',
  since: 10,
  inputs: [2, 4],
  infer: (context) => [tensorType('int32', convolutionShape(context, 0, 1))],
  evaluate(context) {
    const x = withoutZero(context.input(0), context.inputs[2], 1);
    const weight = withoutZero(context.input(1), context.inputs[3], 0);
    const rule = readWindowRule(context.attributes, weight.dims.slice(2));
    return [convolve(x, weight, rule, context.attributes.int('group', 1), 'int32')];
  },
  macs: (context) => convolutionMacs(context, 1),
};

const qlinearMatMul: OpDefinition = {
  domain: '',
  opType: 'QLinearMatMul',
  since: 10,
  inputs: [8, 8],
  infer: (context) => [
    tensorType(dtypeOf(context, 7), matmulShape(context, shapeOf(context, 0), shapeOf(context, 3))),
  ],
  evaluate(context) {
    const [a, b] = [context.input(0), context.input(3)];
    const left = withoutZero(a, context.input(2), axisFor(a, ROWS));
    const sums = matmul(left, withoutZero(b, context.input(5), axisFor(b, COLUMNS)), 'int32');
    const columns = sums.dims.at(-1) ?? 1;
    return [requantize(context, sums, { a: 1, b: 4, y: 6 }, (flat) => flat % columns)];
  },
  macs({ inputs, outputs }) {
    return elementCount(outputs[0]?.dims ?? [0]) * (inputs[0]?.dims.at(-1) ?? 0);
  },
};

const qlinearConv: OpDefinition = {
  domain: '',
  opType: 'QLinearConv',
  since: 10,
  inputs: [8, 9],
  infer: (context) => [tensorType(dtypeOf(context, 7), convolutionShape(context, 0, 3))],
  evaluate(context) {
    const x = withoutZero(context.input(0), context.input(2), 1);
    const weight = withoutZero(context.input(3), context.input(5), 0);
    const rule = readWindowRule(context.attributes, weight.dims.slice(2));
    const product = convolve(x, weight, rule, context.attributes.int('group', 1), 'int32');
    const bias = context.inputs[8];
    const sums = bias ? addPerChannel(product, asNumbers(bias)) : product;
    const area = elementCount(sums.dims.slice(2));
    const channels = sums.dims[1] as number;
    return [requantize(context, sums, { a: 1, b: 4, y: 6 }, (flat) => Math.floor(flat / area) % channels)];
  },
  macs: (context) => convolutionMacs(context, 3),
};

/** Sums to the output's grid: one multiplication by a·b/y in float32, then round and saturate. */
function requantize(
  context: EvaluateContext,
  sums: NdArray,
  places: { a: number; b: number; y: number },
  columnOf: (flat: number) => number,
): NdArray {
  const scaleA = toScalar(context.input(places.a));
  const scalesB = asNumbers(context.input(places.b));
  const scaleY = toScalar(context.input(places.y));
  const zero = context.input(places.y + 1);
  const zeroY = toScalar(zero);
  const factors = Float32Array.from(scalesB, (b) => Math.fround(scaleA * b) / scaleY);
  const values = Float64Array.from(sums.data as Int32Array, (sum, i) => {
    const factor = factors[factors.length === 1 ? 0 : columnOf(i)] as number;
    return roundHalfEven(Math.fround(sum * factor)) + zeroY;
  });
  return fromNumbers(zero.dtype, sums.dims, values);
}

/** Quantization and integer products of ai.onnx. */
export const quantizeLinearOps: readonly OpDefinition[] = [
  quantizeLinear,
  dequantizeLinear,
  dynamicQuantizeLinear,
  matMulInteger,
  convInteger,
  qlinearMatMul,
  qlinearConv,
];
