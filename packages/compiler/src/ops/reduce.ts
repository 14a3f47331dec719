import type { Shape, TensorType } from '../ir/index.ts';
import { elementCount, mulDims } from '../ir/index.ts';
import { asNumbers, aroundAxis, normalizeAxis, stridedIndex, stridesOf, take } from './indexing.ts';
import {
  axisOf,
  dtypeOf,
  inferAxes,
  inferSame,
  shapeOf,
  tensorType,
  unknownDims,
  withDim,
} from './inference.ts';
import { fromNumbers, ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Turns the elements `from … from+length` into one number, in double precision. */
type Fold = (data: ArrayLike<number>, from: number, length: number) => number;

const fold =
  (start: number, step: (total: number, x: number) => number): Fold =>
  (data, from, length) => {
    let total = start;
    for (let i = from; i < from + length; i++) total = step(total, data[i] as number);
    return total;
  };

const sum: Fold = fold(0, (total, x) => total + x);
const sumOfSquares: Fold = fold(0, (total, x) => total + x * x);
const logSumExp: Fold = (data, from, length) => {
  const top = fold(-Infinity, Math.max)(data, from, length);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(fold(0, (total, x) => total + Math.exp(x - top))(data, from, length));
};

/** Last version whose axes are an attribute only. */
const AXES_AS_ATTRIBUTE: Readonly<Record<string, number>> = { ReduceSum: 12 };
const AXES_AS_ATTRIBUTE_DEFAULT = 17;

function inferReduced(context: InferContext): readonly (TensorType | undefined)[] {
  return [tensorType(dtypeOf(context, 0), reducedShape(context))];
}

function reducedShape(context: InferContext): Shape | undefined {
  const shape = shapeOf(context, 0);
  const axes = inferAxes(context, 1);
  const keep = context.attributes.int('keepdims', 1) === 1;
  if (shape === undefined) return undefined;
  if (axes === undefined) return keep ? unknownDims(shape.length) : undefined;
  const all = axes === 'none' || axes.length === 0;
  if (all && context.attributes.int('noop_with_empty_axes', 0) === 1) return shape;
  const reduced = new Set(
    all
      ? shape.keys()
      : axes.map((axis) => axisOf(context, axis, shape.length)).filter((axis) => axis !== undefined),
  );
  if (keep) return shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim));
  return shape.filter((_, axis) => !reduced.has(axis));
}

function reduce(opType: string, apply: Fold, more: Partial<OpDefinition> = {}): OpDefinition {
  return {
    domain: '',
    opType,
    since: 1,
    inputs: [1, 2],
    infer: inferReduced,
    evaluate: (context) => [evaluateReduce(context, apply)],
    ...more,
  };
}

/** The element count of a symbolic shape, as exports compute it. */
const propagateProduct: OpDefinition['propagate'] = (context) => {
  const value = context.values[0];
  const shape = reducedShape(context);
  if (value === undefined || value.dims.length !== 1 || shape === undefined) return [undefined];
  if (!shape.every((dim) => dim === 1)) return [undefined];
  const product = value.elements.reduce((total, element) => mulDims(total, element), 1);
  return [{ dtype: value.dtype, dims: shape.map(() => 1), elements: [product] }];
};

function evaluateReduce(context: EvaluateContext, apply: Fold): NdArray {
  const array = context.input(0);
  const given = axesOf(context);
  if (given === undefined && context.attributes.int('noop_with_empty_axes', 0) === 1) return array;
  const rank = array.dims.length;
  const reduced = new Set(given?.map((axis) => normalizeAxis(axis, rank)) ?? array.dims.keys());
  const kept = [...array.dims.keys()].filter((axis) => !reduced.has(axis));
  const order = [...kept, ...[...reduced].toSorted((a, b) => a - b)];
  const dim = (axis: number): number => array.dims[axis] as number;
  const rows = asNumbers(lastAxes(array, order));
  const outDims = kept.map(dim);
  const length = elementCount([...reduced].map(dim));
  const out = new Float64Array(elementCount(outDims));
  for (let i = 0; i < out.length; i++) out[i] = apply(rows, i * length, length);
  const keep = context.attributes.int('keepdims', 1) === 1;
  const dims = keep ? array.dims.map((extent, axis) => (reduced.has(axis) ? 1 : extent)) : outDims;
  return truncated(array, dims, out);
}

/** Integer results (a mean, say) are cut towards zero. */
function truncated(like: NdArray, dims: readonly number[], values: Float64Array): NdArray {
  const floats = like.data instanceof Float32Array || like.data instanceof Float64Array;
  return fromNumbers(like.dtype, dims, floats ? values : values.map(Math.trunc));
}

function lastAxes(array: NdArray, order: readonly number[]): NdArray {
  if (order.every((axis, position) => axis === position)) return array;
  const strides = stridesOf(array.dims);
  const dims = order.map((axis) => array.dims[axis] as number);
  return take(
    array,
    stridedIndex(
      dims,
      order.map((axis) => strides[axis] as number),
    ),
    dims,
  );
}

/** Undefined: all axes. */
function axesOf(context: EvaluateContext): number[] | undefined {
  const last = AXES_AS_ATTRIBUTE[context.node.opType] ?? AXES_AS_ATTRIBUTE_DEFAULT;
  const input = context.inputs[1];
  const axes = context.opset <= last ? context.attributes.ints('axes') : input && toNumbers(input);
  return axes?.length === 0 ? undefined : axes;
}

function argReduce(opType: string, better: (a: number, b: number) => boolean): OpDefinition {
  return {
    domain: '',
    opType,
    since: 1,
    inputs: [1, 1],
    infer(context) {
      const shape = shapeOf(context, 0);
      const axis = shape && axisOf(context, context.attributes.int('axis', 0), shape.length);
      if (shape === undefined || axis === undefined) return [tensorType('int64', undefined)];
      const keep = context.attributes.int('keepdims', 1) === 1;
      return [tensorType('int64', keep ? withDim(shape, axis, 1) : shape.filter((_, i) => i !== axis))];
    },
    evaluate: (context) => [evaluateArg(context, better)],
  };
}

function evaluateArg(context: EvaluateContext, better: (a: number, b: number) => boolean): NdArray {
  const array = context.input(0);
  const axis = normalizeAxis(context.attributes.int('axis', 0), array.dims.length);
  const last = context.attributes.int('select_last_index', 0) === 1;
  const { outer, extent, inner } = aroundAxis(array.dims, axis);
  const data = asNumbers(array);
  const keep = context.attributes.int('keepdims', 1) === 1;
  const dims = keep
    ? array.dims.map((d, i) => (i === axis ? 1 : d))
    : array.dims.filter((_, i) => i !== axis);
  const out = new BigInt64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (index: number): number => data[(o * extent + index) * inner + i] as number;
      let best = 0;
      for (let k = 1; k < extent; k++) {
        if (better(at(k), at(best)) || (last && at(k) === at(best))) best = k;
      }
      out[o * inner + i] = BigInt(best);
    }
  }
  return ndArray('int64', dims, out);
}

const cumSum: OpDefinition = {
  domain: '',
  opType: 'CumSum',
  since: 11,
  inputs: [2, 2],
  infer: inferSame,
  evaluate(context) {
    const array = context.input(0);
    const axis = normalizeAxis(Number(context.input(1).data[0]), array.dims.length);
    const exclusive = context.attributes.int('exclusive', 0) === 1;
    const reverse = context.attributes.int('reverse', 0) === 1;
    const { outer, extent, inner } = aroundAxis(array.dims, axis);
    const from = asNumbers(array);
    const out = new Float64Array(from.length);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = 0;
        for (let k = 0; k < extent; k++) {
          const at = (o * extent + (reverse ? extent - 1 - k : k)) * inner + i;
          const next = total + (from[at] as number);
          out[at] = exclusive ? total : next;
          total = next;
        }
      }
    }
    return [fromNumbers(array.dtype, array.dims, out)];
  },
};

/** Reductions over axes, the position of extremes, and running sums. */
export const reduceOps: readonly OpDefinition[] = [
  reduce('ReduceSum', sum),
  reduce('ReduceMean', (data, from, length) => sum(data, from, length) / length),
  reduce('ReduceMax', fold(-Infinity, Math.max)),
  reduce('ReduceMin', fold(Infinity, Math.min)),
  reduce(
    'ReduceProd',
    fold(1, (total, x) => total * x),
    { propagate: propagateProduct },
  ),
  reduce(
    'ReduceL1',
    fold(0, (total, x) => total + Math.abs(x)),
  ),
  reduce('ReduceL2', (data, from, length) => Math.sqrt(sumOfSquares(data, from, length))),
  reduce('ReduceSumSquare', sumOfSquares),
  reduce('ReduceLogSum', (data, from, length) => Math.log(sum(data, from, length))),
  reduce('ReduceLogSumExp', logSumExp),
  argReduce('ArgMax', (a, b) => a > b),
  argReduce('ArgMin', (a, b) => a < b),
  cumSum,
];
