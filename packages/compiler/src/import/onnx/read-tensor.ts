import { isFieldSet } from '@bufbuild/protobuf';
import { CompilerError, type ErrorCode } from '../../diagnostics/index.ts';
import {
  byteLengthOf,
  DATA_TYPE_BITS,
  dataTypeFromCode,
  elementCount,
  type DataType,
  type DenseTensor,
  type SparseTensor,
  type StringTensor,
} from '../../ir/index.ts';
import { checkExternalLocation, type ExternalData } from './external-data.ts';
import {
  TensorProto_DataLocation,
  TensorProtoSchema,
  type SparseTensorProto,
  type TensorProto,
} from './proto/onnx_pb.ts';

export interface TensorSource {
  readonly file: string | undefined;
  readonly external: ExternalData | undefined;
}

type TypedField = 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data';
const TYPED_FIELDS: readonly TypedField[] = [
  'floatData',
  'int32Data',
  'int64Data',
  'doubleData',
  'uint64Data',
];

/** The typed field of `TensorProto` that holds each type, where it is not int32_data. */
const FIELD_OF_TYPE: Readonly<Partial<Record<DataType, TypedField>>> = {
  float32: 'floatData',
  complex64: 'floatData',
  float64: 'doubleData',
  complex128: 'doubleData',
  int64: 'int64Data',
  uint32: 'uint64Data',
  uint64: 'uint64Data',
};

/**
 * Turns a `TensorProto` into a tensor whose data is raw and, unless it was stored as varints, a view on the file.
 * Declared dims are checked against the bytes that are there before anything is allocated.
 * @param label how messages name the tensor: `initializer 'w'`.
 */
export function readTensor(
  proto: TensorProto,
  label: string,
  source: TensorSource,
): DenseTensor | StringTensor {
  const fail = failure(label, source);
  const dtype = dataTypeFromCode(proto.dataType);
  if (dtype === undefined) throw fail('bad-file', `has the unknown data type ${proto.dataType}`);
  if (isFieldSet(proto, TensorProtoSchema.field.segment)) throw fail('unsupported', 'is split into segments');
  const dims = readDims(proto.dims, fail);
  const stored = storedFields(proto);
  if (stored.length > 1) throw fail('bad-file', `has data in ${stored.join(' and ')}`);
  if (dtype === 'string') return readStrings(proto, dims, fail);
  const byteLength = byteLengthOf(dtype, elementCount(dims));
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    if (stored.length > 0) throw fail('bad-file', `has data in ${stored.join()} and outside the file`);
    return { kind: 'dense', dtype, dims, data: readExternal(proto, byteLength, label, source) };
  }
  const [field] = stored;
  const expected = FIELD_OF_TYPE[dtype] ?? 'int32Data';
  if (field !== undefined && field !== 'rawData' && field !== expected) {
    throw fail('bad-file', `is ${dtype} but has its data in ${field}`);
  }
  const data =
    field === undefined || field === 'rawData'
      ? proto.rawData
      : joinTyped(proto[expected], dtype, byteLength);
  if (data?.length !== byteLength) {
    const found = data === undefined ? 'another number of values' : `${data.length} bytes`;
    throw fail(
      'bad-file',
      `is ${dtype} [${dims.join(', ')}], which takes ${byteLength} bytes, but has ${found}`,
    );
  }
  return { kind: 'dense', dtype, dims, data };
}

/** A `SparseTensorProto` as it is. */
export function readSparseTensor(
  proto: SparseTensorProto,
  label: string,
  source: TensorSource,
): SparseTensor {
  const fail = failure(label, source);
  if (proto.values === undefined || proto.indices === undefined)
    throw fail('bad-file', 'has no values or no indices');
  const values = readTensor(proto.values, `values of ${label}`, source);
  const indices = readTensor(proto.indices, `indices of ${label}`, source);
  if (values.kind === 'string' || indices.kind === 'string')
    throw fail('unsupported', 'is a sparse tensor of strings');
  return { kind: 'sparse', dtype: values.dtype, dims: readDims(proto.dims, fail), values, indices };
}

type Fail = (code: ErrorCode, problem: string) => CompilerError;

function failure(label: string, { file }: TensorSource): Fail {
  return (code, problem) =>
    new CompilerError(code, `${label} ${problem}`, file === undefined ? {} : { at: { file } });
}

function readDims(dims: readonly bigint[], fail: Fail): number[] {
  let count = 1n;
  for (const dim of dims) {
    if (dim < 0n || dim > Number.MAX_SAFE_INTEGER) throw fail('bad-file', `has the dimension ${dim}`);
    count *= dim === 0n ? 1n : dim; // also with a zero elsewhere, so that every partial product is exact
    if (count > MAX_ELEMENTS) throw fail('too-large', `declares dims [${dims.slice(0, 8).join(', ')}]`);
  }
  return dims.map(Number);
}

/** Keeps byte counts exact: 2^53 bytes of the widest type. */
const MAX_ELEMENTS = 2n ** 49n;

function storedFields(proto: TensorProto): string[] {
  const typed: string[] = TYPED_FIELDS.filter((field) => proto[field].some((run) => run.length > 0));
  if (proto.rawData.length > 0) typed.push('rawData');
  if (proto.stringData.length > 0) typed.push('stringData');
  return typed;
}

function readStrings(proto: TensorProto, dims: readonly number[], fail: Fail): StringTensor {
  const strings = proto.stringData;
  if (strings.length !== elementCount(dims) || storedFields(proto).some((field) => field !== 'stringData')) {
    throw fail('bad-file', `is string [${dims.join(', ')}] but has ${strings.length} strings`);
  }
  return { kind: 'string', dtype: 'string', dims, strings };
}

function readExternal(
  proto: TensorProto,
  byteLength: number,
  label: string,
  source: TensorSource,
): Uint8Array {
  const fail = failure(label, source);
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = checkExternalLocation(entries.get('location') ?? '', label, source.file);
  const offset = readCount(entries.get('offset') ?? '0');
  const length = readCount(entries.get('length') ?? String(byteLength));
  if (offset === undefined || length !== byteLength) {
    const range = `offset ${entries.get('offset')}, length ${entries.get('length')}`;
    throw fail('external-data', `takes ${byteLength} bytes but points to ${range} of '${location}'`);
  }
  if (source.external === undefined)
    throw fail('external-data', `keeps its data in '${location}', which is not here`);
  const data = source.external(location, offset, length);
  if (data === undefined)
    throw fail('external-data', `keeps its data in '${location}', which cannot be found`);
  if (data.length !== length) throw fail('external-data', `needs bytes ${offset} to ${offset + length} of '${location}', which ends before`); // prettier-ignore
  return plainBytes(data);
}

function readCount(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

/** Node's Buffer is a Uint8Array whose `slice` does not copy; the IR promises the ordinary one. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

/** Raw data of a typed field, given as runs of packed values; undefined when their number is wrong. */
function joinTyped(
  runs: readonly Uint8Array[],
  dtype: Exclude<DataType, 'string'>,
  byteLength: number,
): Uint8Array | undefined {
  const field = FIELD_OF_TYPE[dtype] ?? 'int32Data';
  if (field !== 'floatData' && field !== 'doubleData') return decodeVarints(runs, dtype, byteLength);
  const [first, ...others] = runs;
  if (first !== undefined && others.length === 0) return first; // packed floats are raw data already
  const total = runs.reduce((sum, run) => sum + run.length, 0);
  return total === byteLength ? concat(runs, total) : undefined;
}

function concat(runs: readonly Uint8Array[], total: number): Uint8Array {
  const joined = new Uint8Array(total);
  let at = 0;
  for (const run of runs) {
    joined.set(run, at);
    at += run.length;
  }
  return joined;
}

/** Varints of int32_data, int64_data or uint64_data as little-endian values; one byte each for packed types. */
function decodeVarints(
  runs: readonly Uint8Array[],
  dtype: Exclude<DataType, 'string'>,
  byteLength: number,
): Uint8Array | undefined {
  const width = Math.max(1, DATA_TYPE_BITS[dtype] / 8);
  if (countVarints(runs) * width !== byteLength) return undefined;
  const data = new Uint8Array(byteLength);
  const view = new DataView(data.buffer);
  let at = 0;
  for (const run of runs) {
    let low = 0;
    let high = 0;
    let shift = 0;
    for (let i = 0; i < run.length; i++) {
      const byte = run[i] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high |= bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      shift += 7;
      if (byte >= 0x80) {
        if (shift >= 70) return undefined; // more than ten bytes
        continue;
      }
      if (width === 1) data[at] = low;
      else if (width === 2) view.setUint16(at, low & 0xffff, true);
      else view.setInt32(at, low, true);
      if (width === 8) view.setInt32(at + 4, high, true);
      at += width;
      low = high = shift = 0;
    }
    if (shift !== 0) return undefined; // ends inside a varint
  }
  return data;
}

function countVarints(runs: readonly Uint8Array[]): number {
  let count = 0;
  for (const run of runs) for (let i = 0; i < run.length; i++) if ((run[i] ?? 0) < 0x80) count += 1;
  return count;
}
