import { dataTypeFromCode, type DataType } from '../ir/index.ts';
import { CompilerError } from '../diagnostics/index.ts';
import type { AttributeReader } from './attributes.ts';
import { asNumbers } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType } from './inference.ts';
import { allocate, arithmeticOf, isEvaluable, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';
import type { PartialValue } from './partial-value.ts';

/** The type that an attribute such as Cast's `to` names. */
export function dtypeAttribute(attributes: AttributeReader, name: string, fallback?: DataType): DataType {
  if (!attributes.has(name) && fallback !== undefined) return fallback;
  const code = attributes.int(name);
  const dtype = dataTypeFromCode(code);
  if (dtype !== undefined) return dtype;
  throw new CompilerError('invalid-graph', `"${name}" is ${code}, which is no ONNX data type.`);
}

/** Converts elements: floats to integers cut towards zero, integers wrap, anything but 0 is true. */
export function castArray(array: NdArray, dtype: DataType): NdArray {
  if (array.dtype === dtype) return array;
  const { dims } = array;
  const from = array.data;
  const data = allocate(dtype, from.length);
  const exact = arithmeticOf(dtype) === 'bigint';
  if (exact && (from instanceof BigInt64Array || from instanceof BigUint64Array)) {
    for (let i = 0; i < from.length; i++) data[i] = from[i] as bigint;
    return { dtype, dims, data };
  }
  const numbers = asNumbers(array);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    if (dtype === 'bool') data[i] = value === 0 ? 0 : 1;
    else if (exact) data[i] = Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
    else data[i] = wrapSmall(value, dtype);
  }
  return { dtype, dims, data };
}

/** 4-bit and 2-bit values live in bytes, so a byte's own wrapping is not theirs. */
function wrapSmall(value: number, dtype: DataType): number {
  if (dtype === 'int4') return (Math.trunc(value) << 28) >> 28;
  if (dtype === 'uint4') return Math.trunc(value) & 15;
  if (dtype === 'int2') return (Math.trunc(value) << 30) >> 30;
  return dtype === 'uint2' ? Math.trunc(value) & 3 : value;
}

function propagateCast(context: InferContext, dtype: DataType | undefined): (PartialValue | undefined)[] {
  const value = context.values[0];
  if (value === undefined || dtype === undefined || !isEvaluable(dtype)) return [undefined];
  const convert = (x: number): number => {
    if (dtype === 'bool') return x === 0 ? 0 : 1;
    return arithmeticOf(dtype) === 'float' ? x : Math.trunc(x);
  };
  const elements = value.elements.map((element) => {
    if (typeof element === 'number') return convert(element);
    return dtype === 'bool' ? null : element;
  });
  return [{ dtype, dims: value.dims, elements }];
}

const cast: OpDefinition = {
  domain: '',
  opType: 'Cast',
  since: 6,
  inputs: [1, 1],
  elementwise: true,
  infer: (context) => [tensorType(dtypeAttribute(context.attributes, 'to'), shapeOf(context, 0))],
  propagate: (context) => propagateCast(context, dtypeAttribute(context.attributes, 'to')),
  evaluate: (context) => [castArray(context.input(0), dtypeAttribute(context.attributes, 'to'))],
};

const castLike: OpDefinition = {
  domain: '',
  opType: 'CastLike',
  since: 15,
  inputs: [2, 2],
  infer: (context) => [tensorType(dtypeOf(context, 1), shapeOf(context, 0))],
  propagate: (context) => propagateCast(context, dtypeOf(context, 1)),
  evaluate: (context) => [castArray(context.input(0), context.input(1).dtype)],
};

/** Conversions between element types. */
export const castOps: readonly OpDefinition[] = [cast, castLike];
