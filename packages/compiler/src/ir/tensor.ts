import { byteLengthOf, type DataType } from './data-type.ts';

/**
 * Immutable and shared: transforms make new tensors, they never write into `data`.
 * `data` is little-endian raw data as in `TensorProto.raw_data`, usually a view on the model file's bytes
 * (so its byteOffset may be unaligned: read it through `typedData`).
 */
export interface DenseTensor {
  readonly kind: 'dense';
  readonly dtype: Exclude<DataType, 'string'>;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** A dense tensor of float32. */
export type Float32Tensor = DenseTensor & { readonly dtype: 'float32' };

export interface StringTensor {
  readonly kind: 'string';
  readonly dtype: 'string';
  readonly dims: readonly number[];
  /** UTF-8 bytes of each element, as stored. */
  readonly strings: readonly Uint8Array[];
}

/** ONNX `SparseTensorProto`: kept as it is, converted by nobody but readers of the values. */
export interface SparseTensor {
  readonly kind: 'sparse';
  readonly dtype: Exclude<DataType, 'string'>;
  readonly dims: readonly number[];
  readonly values: DenseTensor;
  readonly indices: DenseTensor;
}

export type Tensor = DenseTensor | StringTensor | SparseTensor;

export function isFloat32(tensor: Tensor): tensor is Float32Tensor {
  return tensor.kind === 'dense' && tensor.dtype === 'float32';
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Typed arrays that hold one element per entry; float16/bfloat16 and sub-byte types stay raw bits. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface ArrayTypes {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly float16: Uint16Array;
  readonly bfloat16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
}

export type ArrayFor<D extends DataType> = D extends keyof ArrayTypes ? ArrayTypes[D] : Uint8Array;

interface ArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray;
}

const ARRAY_CONSTRUCTORS: Readonly<Record<keyof ArrayTypes, ArrayConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** A typed view on the tensor's data; copies only when the bytes are not aligned for the element type. */
export function typedData<D extends DenseTensor['dtype']>(tensor: DenseTensor & { dtype: D }): ArrayFor<D> {
  const Type =
    (ARRAY_CONSTRUCTORS as Partial<Record<DataType, ArrayConstructor>>)[tensor.dtype] ?? Uint8Array;
  const { data } = tensor;
  const aligned = data.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? data : new Uint8Array(data); // not slice(): a Node Buffer would not copy
  const length = aligned.byteLength / Type.BYTES_PER_ELEMENT;
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, length) as ArrayFor<D>;
}

/** Wraps an array as a tensor without copying it; the caller gives up the right to write into it. */
export function denseTensor<D extends DenseTensor['dtype']>(
  dtype: D,
  dims: readonly number[],
  array: TypedArray,
): DenseTensor & { readonly dtype: D } {
  const data = new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
  const expected = byteLengthOf(dtype, elementCount(dims));
  if (data.byteLength !== expected) {
    throw new RangeError(
      `denseTensor: ${dtype} [${dims.join(', ')}] needs ${expected} bytes, got ${data.byteLength}`,
    );
  }
  return { kind: 'dense', dtype, dims, data };
}

export function float32Tensor(dims: readonly number[], values: ArrayLike<number>): Float32Tensor {
  return denseTensor('float32', dims, Float32Array.from(values));
}

export function int64Tensor(dims: readonly number[], values: ArrayLike<number | bigint>): DenseTensor {
  return denseTensor('int64', dims, BigInt64Array.from(Array.from(values, BigInt)));
}
