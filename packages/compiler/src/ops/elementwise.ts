import type { DataType, Dim, TensorType, TypedArray } from '../ir/index.ts';
import { addDims, divDims, elementCount, mulDims, subDims } from '../ir/index.ts';
import { gelu, geluTanh, hardSigmoid, mish, sigmoid, softplus } from './activations.ts';
import type { AttributeReader } from './attributes.ts';
import { erf } from './erf.ts';
import { roundHalfEven } from './float-formats.ts';
import { broadcastDims, broadcastTo } from './indexing.ts';
import { broadcastShapes, firstDtype, inferSame, shapeOf, tensorType } from './inference.ts';
import { allocate, arithmeticOf, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';
import { propagateElementwise } from './propagate.ts';

type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;
type BigBinary = (a: bigint, b: bigint) => bigint;

/** Binary arithmetic by how the element type is computed; typed arrays wrap integer results. */
export interface BinaryRule {
  readonly float: Binary;
  readonly integer?: Binary;
  readonly bigint?: BigBinary;
}

/** Applies a float function to every element. */
export function mapUnary(array: NdArray, map: Unary, dtype: DataType = array.dtype): NdArray {
  const from = array.data as Float32Array;
  const data = allocate(dtype, from.length);
  for (let i = 0; i < from.length; i++) data[i] = map(from[i] as number);
  return { dtype, dims: array.dims, data };
}

/** Combines two arrays with broadcasting; `dtype` is the result's element type. */
export function mapBinary(a: NdArray, b: NdArray, rule: BinaryRule, dtype: DataType = a.dtype): NdArray {
  const dims = broadcastDims(a.dims, b.dims);
  const x = broadcastTo(a, dims).data;
  const y = broadcastTo(b, dims).data;
  const kind = arithmeticOf(a.dtype);
  // BigInt and number loops are the same text; the element type decides which one runs.
  const apply = (kind === 'bigint' ? rule.bigint : kind === 'integer' ? rule.integer : rule.float) as
    | Binary
    | undefined;
  return { dtype, dims, data: combine(x, y, apply ?? rule.float, allocate(dtype, elementCount(dims))) };
}

function combine(x: TypedArray, y: TypedArray, apply: Binary, out: TypedArray): TypedArray {
  const a = x as Float64Array;
  const b = y as Float64Array;
  for (let i = 0; i < out.length; i++) out[i] = apply(a[i] as number, b[i] as number);
  return out;
}

function unary(opType: string, since: number, make: (attributes: AttributeReader) => Unary): OpDefinition {
  return {
    domain: '',
    opType,
    since,
    inputs: [1, 1],
    elementwise: true,
    infer: inferSame,
    evaluate: (context) => [mapUnary(context.input(0), make(context.attributes))],
  };
}

/** Float functions without attributes: name, first version, function. */
const FLOAT_FUNCTIONS: readonly (readonly [string, number, Unary])[] = [
  ['Acos', 7, Math.acos],
  ['Acosh', 9, Math.acosh],
  ['Asin', 7, Math.asin],
  ['Asinh', 9, Math.asinh],
  ['Atan', 7, Math.atan],
  ['Atanh', 9, Math.atanh],
  ['Ceil', 1, Math.ceil],
  ['Cos', 7, Math.cos],
  ['Cosh', 9, Math.cosh],
  ['Erf', 9, erf],
  ['Exp', 1, Math.exp],
  ['Floor', 1, Math.floor],
  ['HardSwish', 14, (x) => x * hardSigmoid(x, 1 / 6, 0.5)],
  ['Log', 1, Math.log],
  ['Mish', 18, mish],
  ['Reciprocal', 1, (x) => 1 / x],
  ['Round', 11, roundHalfEven],
  ['Sigmoid', 1, sigmoid],
  ['Sin', 7, Math.sin],
  ['Sinh', 9, Math.sinh],
  ['Softplus', 1, softplus],
  ['Softsign', 1, (x) => x / (1 + Math.abs(x))],
  ['Sqrt', 1, Math.sqrt],
  ['Tan', 7, Math.tan],
  ['Tanh', 1, Math.tanh],
];

/** Functions that also apply to integers. */
function signed(
  opType: string,
  since: number,
  float: Unary,
  bigint: (x: bigint) => bigint,
  propagate?: (x: Dim) => Dim,
): OpDefinition {
  return {
    ...unary(opType, since, () => float),
    ...(propagate && {
      propagate: (context) => propagateElementwise(context, ([x]) => propagate(x ?? null)),
    }),
    evaluate: (context) => {
      const array = context.input(0);
      // Same loop: a BigInt array takes the BigInt function.
      const map = arithmeticOf(array.dtype) === 'bigint' ? (bigint as unknown as Unary) : float;
      return [mapUnary(array, map)];
    },
  };
}

const clip: OpDefinition = {
  domain: '',
  opType: 'Clip',
  since: 1,
  inputs: [1, 3],
  elementwise: true,
  infer: inferSame,
  evaluate(context) {
    const array = context.input(0);
    const limit = (index: number, name: string): number | bigint | undefined => {
      const input = context.inputs[index];
      if (input) return input.data[0];
      return context.attributes.has(name) ? context.attributes.float(name) : undefined;
    };
    const low = limit(1, 'min') as number | undefined;
    const high = limit(2, 'max') as number | undefined;
    // When low > high the result is high, as the specification says.
    return [
      mapUnary(array, (x) => {
        const raised = low !== undefined && x < low ? low : x;
        return high !== undefined && raised > high ? high : raised;
      }),
    ];
  },
};

function inferBroadcast(context: InferContext): readonly (TensorType | undefined)[] {
  const shapes = context.node.inputs.map((_, index) => shapeOf(context, index));
  return [tensorType(firstDtype(context), broadcastShapes(context, shapes))];
}

function binary(
  opType: string,
  since: number,
  rule: BinaryRule,
  more: Partial<OpDefinition> = {},
): OpDefinition {
  return {
    domain: '',
    opType,
    since,
    inputs: [2, 2],
    elementwise: true,
    infer: inferBroadcast,
    evaluate: (context) => [mapBinary(context.input(0), context.input(1), rule)],
    ...more,
  };
}

function arithmetic(
  opType: string,
  rule: BinaryRule,
  onDims: (a: Dim, b: Dim) => Dim,
  more: Partial<OpDefinition> = {},
): OpDefinition {
  return binary(opType, 7, rule, {
    propagate: (context) => propagateElementwise(context, ([a, b]) => onDims(a ?? null, b ?? null)),
    ...more,
  });
}

const power: OpDefinition = binary(
  'Pow',
  7,
  { float: Math.pow },
  {
    evaluate(context) {
      const [base, exponent] = [context.input(0), context.input(1)];
      const dims = broadcastDims(base.dims, exponent.dims);
      const x = broadcastTo(base, dims).data;
      const y = broadcastTo(exponent, dims).data;
      const data = allocate(base.dtype, x.length);
      const exact = arithmeticOf(base.dtype) === 'bigint';
      for (let i = 0; i < data.length; i++) {
        const value = Number(x[i]) ** Number(y[i]);
        data[i] = exact ? BigInt(Math.trunc(value)) : value;
      }
      return [{ dtype: base.dtype, dims, data }];
    },
  },
);

const modulo: OpDefinition = binary(
  'Mod',
  10,
  { float: (a, b) => a % b },
  {
    evaluate(context) {
      const likeC = context.attributes.int('fmod', 0) === 1;
      const floored: Binary = (a, b) => a - Math.floor(a / b) * b;
      const flooredBig: BigBinary = (a, b) => ((a % b) + b) % b;
      const rule: BinaryRule = likeC
        ? { float: (a, b) => a % b, bigint: (a, b) => a % b }
        : { float: floored, bigint: flooredBig };
      return [mapBinary(context.input(0), context.input(1), rule)];
    },
  },
);

/** Max, Min, Sum, Mean: any number of inputs, folded from the left. */
function variadic(opType: string, rule: BinaryRule, finish?: (count: number) => Unary): OpDefinition {
  return {
    domain: '',
    opType,
    since: 8,
    inputs: [1, Infinity],
    elementwise: true,
    infer: inferBroadcast,
    evaluate(context) {
      const [first, ...rest] = context.node.inputs.map((_, index) => context.input(index));
      const folded = rest.reduce((a, b) => mapBinary(a, b, rule), first as NdArray);
      return [finish ? mapUnary(folded, finish(rest.length + 1)) : folded];
    },
  };
}

const maximum: BinaryRule = { float: Math.max, bigint: (a, b) => (a > b ? a : b) };
const minimum: BinaryRule = { float: Math.min, bigint: (a, b) => (a < b ? a : b) };

const prelu: OpDefinition = binary('PRelu', 7, {
  float: (x, slope) => (x < 0 ? slope * x : x),
  bigint: (x, slope) => (x < 0n ? slope * x : x),
});

function bitwise(opType: string, integer: Binary, bigint: BigBinary): OpDefinition {
  return binary(opType, 18, { float: integer, integer, bigint }, { commutative: true });
}

const bitShift: OpDefinition = binary(
  'BitShift',
  11,
  { float: () => NaN },
  {
    evaluate(context: EvaluateContext) {
      const left = context.attributes.string('direction') === 'LEFT';
      const rule: BinaryRule = left
        ? { float: () => NaN, integer: (a, b) => a * 2 ** b, bigint: (a, b) => a << b }
        : { float: () => NaN, integer: (a, b) => Math.floor(a / 2 ** b), bigint: (a, b) => a >> b };
      return [mapBinary(context.input(0), context.input(1), rule)];
    },
  },
);

const bitwiseNot: OpDefinition = signed(
  'BitwiseNot',
  18,
  (x) => ~x,
  (x) => ~x,
);

const geluStandard: OpDefinition = {
  ...unary('Gelu', 20, (attributes) =>
    attributes.string('approximate', 'none') === 'tanh' ? geluTanh : gelu,
  ),
};

/** Element-wise arithmetic and activation functions of ai.onnx. */
export const elementwiseOps: readonly OpDefinition[] = [
  ...FLOAT_FUNCTIONS.map(([opType, since, map]) => unary(opType, since, () => map)),
  signed('Abs', 1, Math.abs, (x) => (x < 0n ? -x : x)),
  signed(
    'Neg',
    1,
    (x) => -x,
    (x) => -x,
    (x) => mulDims(x, -1),
  ),
  signed('Sign', 9, Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  signed(
    'Relu',
    1,
    (x) => (x < 0 ? 0 : x),
    (x) => (x < 0n ? 0n : x),
  ),
  bitwiseNot,
  geluStandard,
  unary('Celu', 12, (a) => {
    const alpha = a.float('alpha', 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  unary('Elu', 1, (a) => {
    const alpha = a.float('alpha', 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  }),
  unary('HardSigmoid', 1, (a) => {
    const [alpha, beta] = [a.float('alpha', 0.2), a.float('beta', 0.5)];
    return (x) => hardSigmoid(x, alpha, beta);
  }),
  unary('LeakyRelu', 1, (a) => {
    const alpha = a.float('alpha', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  }),
  unary('Selu', 1, (a) => {
    const [alpha, gamma] = [
      a.float('alpha', 1.67326319217681884765625),
      a.float('gamma', 1.05070102214813232421875),
    ];
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  unary('Shrink', 9, (a) => {
    const [bias, lambda] = [a.float('bias', 0), a.float('lambd', 0.5)];
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  }),
  unary('Swish', 24, (a) => {
    const alpha = a.float('alpha', 1);
    return (x) => x * sigmoid(alpha * x);
  }),
  unary('ThresholdedRelu', 10, (a) => {
    const alpha = a.float('alpha', 1);
    return (x) => (x > alpha ? x : 0);
  }),
  clip,
  arithmetic('Add', { float: (a, b) => a + b, bigint: (a, b) => a + b }, addDims, { commutative: true }),
  arithmetic('Sub', { float: (a, b) => a - b, bigint: (a, b) => a - b }, subDims),
  arithmetic('Mul', { float: (a, b) => a * b, integer: Math.imul, bigint: (a, b) => a * b }, mulDims, {
    commutative: true,
  }),
  arithmetic(
    'Div',
    {
      float: (a, b) => a / b,
      integer: (a, b) => Math.trunc(a / b),
      bigint: (a, b) => (b === 0n ? 0n : a / b),
    },
    divDims,
  ),
  power,
  modulo,
  variadic('Max', maximum),
  variadic('Min', minimum),
  variadic('Sum', { float: (a, b) => a + b }),
  variadic('Mean', { float: (a, b) => a + b }, (count) => (x) => x / count),
  prelu,
  bitwise(
    'BitwiseAnd',
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  bitwise(
    'BitwiseOr',
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  bitwise(
    'BitwiseXor',
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  bitShift,
];
