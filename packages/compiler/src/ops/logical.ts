import type { Dim, TensorType } from '../ir/index.ts';
import { elementCount, subDims } from '../ir/index.ts';
import { mapBinary } from './elementwise.ts';
import { broadcastDims, broadcastTo } from './indexing.ts';
import { broadcastShapes, dtypeOf, shapeOf, tensorType } from './inference.ts';
import { allocate, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';
import { propagateElementwise } from './propagate.ts';

type Compare = (a: number, b: number) => boolean;

function inferBool(context: InferContext): readonly (TensorType | undefined)[] {
  const shapes = context.node.inputs.map((_, index) => shapeOf(context, index));
  return [tensorType('bool', broadcastShapes(context, shapes))];
}

/** JavaScript's comparisons mean the same for numbers and BigInts, so one function serves both. */
function compare(
  opType: string,
  since: number,
  test: Compare,
  more: Partial<OpDefinition> = {},
): OpDefinition {
  const bit = (a: number, b: number): number => (test(a, b) ? 1 : 0);
  return {
    domain: '',
    opType,
    since,
    inputs: [2, 2],
    elementwise: true,
    infer: inferBool,
    evaluate: (context) => [
      mapBinary(context.input(0), context.input(1), { float: bit, bigint: bit as never }, 'bool'),
    ],
    ...more,
  };
}

/** 1, 0 or null for "cannot be told": dims are at least 0, so no dim equals a negative number. */
function equalDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  const difference = subDims(a, b);
  if (typeof difference === 'number') return difference === 0 ? 1 : 0;
  return isNegative(a, b) || isNegative(b, a) ? 0 : null;
}

function isNegative(a: Dim, other: Dim): boolean {
  return typeof a === 'number' && a < 0 && typeof other === 'string' && !other.includes('-');
}

const and: Compare = (a, b) => a !== 0 && b !== 0;
const or: Compare = (a, b) => a !== 0 || b !== 0;
const xor: Compare = (a, b) => (a !== 0) !== (b !== 0);

function test(
  opType: string,
  since: number,
  map: (x: number, context: InferContext['attributes']) => boolean,
): OpDefinition {
  return {
    domain: '',
    opType,
    since,
    inputs: [1, 1],
    elementwise: true,
    infer: (context) => [tensorType('bool', shapeOf(context, 0))],
    evaluate(context) {
      const { dims, data } = context.input(0);
      const out = Uint8Array.from(data as Float32Array, (x) => (map(x, context.attributes) ? 1 : 0));
      return [{ dtype: 'bool', dims, data: out }];
    },
  };
}

function where(condition: NdArray, a: NdArray, b: NdArray): NdArray {
  const dims = broadcastDims(condition.dims, a.dims, b.dims);
  const choose = broadcastTo(condition, dims).data;
  const x = broadcastTo(a, dims).data as Float64Array;
  const y = broadcastTo(b, dims).data as Float64Array;
  const data = allocate(a.dtype, elementCount(dims));
  const out = data as Float64Array;
  for (let i = 0; i < out.length; i++) out[i] = (choose[i] ? x[i] : y[i]) as number;
  return { dtype: a.dtype, dims, data };
}

const whereOp: OpDefinition = {
  domain: '',
  opType: 'Where',
  since: 9,
  inputs: [3, 3],
  elementwise: true,
  infer: (context) => [
    tensorType(
      dtypeOf(context, 1) ?? dtypeOf(context, 2),
      broadcastShapes(
        context,
        [0, 1, 2].map((index) => shapeOf(context, index)),
      ),
    ),
  ],
  propagate: (context) =>
    propagateElementwise(
      context,
      ([condition, a, b]) => {
        if (condition === 1) return a ?? null;
        if (condition === 0) return b ?? null;
        return a === b ? (a ?? null) : null;
      },
      context.values[1]?.dtype,
    ),
  evaluate: (context) => [where(context.input(0), context.input(1), context.input(2))],
};

/** Comparisons, boolean logic and selection of ai.onnx. */
export const logicalOps: readonly OpDefinition[] = [
  compare('Equal', 7, (a, b) => a === b, {
    commutative: true,
    propagate: (context) =>
      propagateElementwise(context, ([a, b]) => equalDims(a ?? null, b ?? null), 'bool'),
  }),
  compare('Greater', 7, (a, b) => a > b),
  compare('GreaterOrEqual', 12, (a, b) => a >= b),
  compare('Less', 7, (a, b) => a < b),
  compare('LessOrEqual', 12, (a, b) => a <= b),
  compare('And', 7, and, { commutative: true }),
  compare('Or', 7, or, { commutative: true }),
  compare('Xor', 7, xor, { commutative: true }),
  test('Not', 1, (x) => x === 0),
  test('IsNaN', 9, (x) => Number.isNaN(x)),
  test(
    'IsInf',
    10,
    (x, attributes) =>
      (x === Infinity && attributes.int('detect_positive', 1) === 1) ||
      (x === -Infinity && attributes.int('detect_negative', 1) === 1),
  ),
  whereOp,
];
