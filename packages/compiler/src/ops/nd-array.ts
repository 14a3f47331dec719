import { CompilerError } from '../diagnostics/index.ts';
import {
  byteLengthOf,
  denseTensor,
  elementCount,
  typedData,
  type DataType,
  type DenseTensor,
  type Tensor,
  type TypedArray,
} from '../ir/index.ts';
import {
  bfloat16ToNumber,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
  roundHalfEven,
} from './float-formats.ts';

/**
 * The working form of a tensor: row-major, one array entry per element. float16 and bfloat16 are decoded to
 * float32, 4-bit and 2-bit integers to bytes. Arrays may share their data: nobody writes into an input.
 */
export interface NdArray {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

interface Storage {
  readonly kind: 'float' | 'integer' | 'bigint';
  readonly create: (length: number) => TypedArray;
}

const float32: Storage = { kind: 'float', create: (n) => new Float32Array(n) };
const uint8: Storage = { kind: 'integer', create: (n) => new Uint8Array(n) };
const int8: Storage = { kind: 'integer', create: (n) => new Int8Array(n) };

const STORAGE: Partial<Record<DataType, Storage>> = {
  float32,
  float16: float32,
  bfloat16: float32,
  float64: { kind: 'float', create: (n) => new Float64Array(n) },
  bool: uint8,
  uint8,
  uint4: uint8,
  uint2: uint8,
  int8,
  int4: int8,
  int2: int8,
  uint16: { kind: 'integer', create: (n) => new Uint16Array(n) },
  int16: { kind: 'integer', create: (n) => new Int16Array(n) },
  uint32: { kind: 'integer', create: (n) => new Uint32Array(n) },
  int32: { kind: 'integer', create: (n) => new Int32Array(n) },
  uint64: { kind: 'bigint', create: (n) => new BigUint64Array(n) },
  int64: { kind: 'bigint', create: (n) => new BigInt64Array(n) },
};

function storageOf(dtype: DataType): Storage {
  const storage = STORAGE[dtype];
  if (storage) return storage;
  throw new CompilerError('unsupported', `Tensors of type ${dtype} cannot be evaluated.`, {
    hint: 'Run the model with onnxruntime, or keep this part out of the evaluated graph.',
  });
}

/** Whether tensors of this type have a working form. */
export function isEvaluable(dtype: DataType): boolean {
  return STORAGE[dtype] !== undefined;
}

/** How elements of a type are computed: as doubles, as 32-bit integers, or as BigInt. */
export function arithmeticOf(dtype: DataType): Storage['kind'] {
  return storageOf(dtype).kind;
}

/** Zeros of the element type's working form. */
export function allocate(dtype: DataType, length: number): TypedArray {
  return storageOf(dtype).create(length);
}

export function ndArray(dtype: DataType, dims: readonly number[], data?: TypedArray): NdArray {
  const count = elementCount(dims);
  const array = data ?? allocate(dtype, count);
  if (array.length !== count) {
    throw new RangeError(`ndArray: [${dims.join(', ')}] needs ${count} elements, got ${array.length}`);
  }
  return { dtype, dims, data: array };
}

/** The working form of a constant. Throws `CompilerError` for strings, sparse tensors and types without one. */
export function fromTensor(tensor: Tensor): NdArray {
  if (tensor.kind !== 'dense') {
    throw new CompilerError('unsupported', `A ${tensor.kind} tensor cannot be evaluated.`);
  }
  const { dtype, dims } = tensor;
  const count = elementCount(dims);
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const decode = dtype === 'float16' ? float16ToNumber : bfloat16ToNumber;
    const bits = typedData(tensor as DenseTensor & { dtype: 'float16' });
    return { dtype, dims, data: Float32Array.from(bits, decode) };
  }
  const bits = packedBits(dtype);
  if (bits < 8) return { dtype, dims, data: unpack(tensor.data, count, bits, dtype.startsWith('i'), dtype) };
  storageOf(dtype);
  return { dtype, dims, data: typedData(tensor) as TypedArray };
}

/** The IR form of a result; shares its memory when the type is stored one element per entry. */
export function toTensor(array: NdArray): DenseTensor {
  const { dims, data } = array;
  const dtype = array.dtype as DenseTensor['dtype'];
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const encode = dtype === 'float16' ? numberToFloat16 : numberToBfloat16;
    return denseTensor(dtype, dims, Uint16Array.from(data as Float32Array, encode));
  }
  const bits = packedBits(dtype);
  if (bits < 8) return { kind: 'dense', dtype, dims, data: pack(data as Int8Array, bits, dtype) };
  return denseTensor(dtype, dims, data);
}

/**
 * A result in its type's own working form: float16 and bfloat16 rounded to what they can hold, float64 widened where
 * an operator computed in float32.
 */
export function conformToType(array: NdArray): NdArray {
  const { dtype, data } = array;
  if (dtype === 'float16') return mapFloats(array, (x) => float16ToNumber(numberToFloat16(x)));
  if (dtype === 'bfloat16') return mapFloats(array, (x) => bfloat16ToNumber(numberToBfloat16(x)));
  return dtype === 'float64' && data instanceof Float32Array
    ? { ...array, data: Float64Array.from(data) }
    : array;
}

/** Elements as numbers; int64 values beyond ±2^53 lose precision, which is fine for axes, limits and indices. */
export function toNumbers(array: NdArray): number[] {
  return Array.from(array.data as Float64Array, Number);
}

/** The one element of a scalar or single-element tensor. */
export function toScalar(array: NdArray): number {
  if (array.data.length !== 1) {
    throw new CompilerError('invalid-graph', `A single number was expected, got [${array.dims.join(', ')}].`);
  }
  return Number(array.data[0]);
}

/** A tensor of this type from numbers: floats round, integers round half to even and saturate, bools become 0 and 1. */
export function fromNumbers(dtype: DataType, dims: readonly number[], values: ArrayLike<number>): NdArray {
  const result = ndArray(dtype, dims);
  const { kind } = storageOf(dtype);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (kind === 'float') result.data[i] = value;
    else if (dtype === 'bool') result.data[i] = value === 0 ? 0 : 1;
    else setInteger(result.data, i, saturate(roundHalfEven(value), dtype));
  }
  return result;
}

function setInteger(data: TypedArray, index: number, value: number): void {
  if (data instanceof BigInt64Array) data[index] = clampToInt64(value);
  else if (data instanceof BigUint64Array) data[index] = BigInt(value);
  else data[index] = value;
}

function clampToInt64(value: number): bigint {
  const limit = 2n ** 63n;
  const exact = BigInt(value);
  return exact >= limit ? limit - 1n : exact < -limit ? -limit : exact;
}

/** Least and largest value of an integer type. */
export function integerLimits(dtype: DataType): { low: number; high: number } {
  const match = /^(u?)int(\d+)$/.exec(dtype);
  if (!match) throw new RangeError(`integerLimits: ${dtype} is not an integer type`);
  const bits = Number(match[2]);
  return match[1] ? { low: 0, high: 2 ** bits - 1 } : { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 };
}

function saturate(value: number, dtype: DataType): number {
  const { low, high } = integerLimits(dtype);
  return Number.isNaN(value) ? 0 : Math.min(Math.max(value, low), high);
}

function mapFloats(array: NdArray, map: (value: number) => number): NdArray {
  return { ...array, data: Float32Array.from(array.data as Float32Array, map) };
}

function packedBits(dtype: DataType): number {
  if (dtype === 'int4' || dtype === 'uint4') return 4;
  return dtype === 'int2' || dtype === 'uint2' ? 2 : 8;
}

/** Sub-byte elements, low bits first. */
function unpack(data: Uint8Array, count: number, bits: number, signed: boolean, dtype: DataType): TypedArray {
  const out = allocate(dtype, count);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (let i = 0; i < count; i++) {
    const value = ((data[Math.floor(i / perByte)] as number) >> ((i % perByte) * bits)) & mask;
    out[i] = signed && value > mask >> 1 ? value - mask - 1 : value;
  }
  return out;
}

function pack(values: Int8Array, bits: number, dtype: DenseTensor['dtype']): Uint8Array {
  const out = new Uint8Array(byteLengthOf(dtype, values.length));
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / perByte);
    out[at] = (out[at] as number) | (((values[i] as number) & mask) << ((i % perByte) * bits));
  }
  return out;
}

/** A tensor's elements as numbers, whatever its type; int64 beyond ±2^53 loses precision. */
export function tensorNumbers(tensor: Tensor): ArrayLike<number> {
  const { data } = fromTensor(tensor);
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Float64Array.from(data as BigInt64Array, Number)
    : data;
}
