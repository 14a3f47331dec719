/** ONNX `TensorProto.DataType` by name; the numbers are the wire values of onnx.proto (IR version 13). */
export const DATA_TYPE_CODES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

export type DataType = keyof typeof DATA_TYPE_CODES;

/** Bits that one element takes in raw tensor data; strings have none. */
export const DATA_TYPE_BITS: Readonly<Record<Exclude<DataType, 'string'>, number>> = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
  float8e8m0: 8,
  uint2: 2,
  int2: 2,
};

const NAMES_BY_CODE = new Map<number, DataType>(
  Object.entries(DATA_TYPE_CODES).map(([name, code]) => [code, name as DataType]),
);

/** The data type with this wire value, or undefined when ONNX defines none. */
export function dataTypeFromCode(code: number): DataType | undefined {
  return NAMES_BY_CODE.get(code);
}

/** Bytes of raw data for `count` elements (sub-byte types are packed, low bits first). */
export function byteLengthOf(dtype: Exclude<DataType, 'string'>, count: number): number {
  return Math.ceil((count * DATA_TYPE_BITS[dtype]) / 8);
}
