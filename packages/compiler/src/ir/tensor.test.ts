import { describe, expect, it } from 'vitest';
import { byteLengthOf, DATA_TYPE_CODES, dataTypeFromCode } from './data-type.ts';
import { denseTensor, float32Tensor, int64Tensor, typedData, type DenseTensor } from './tensor.ts';

describe('typedData', () => {
  it('is a view where the bytes are aligned', () => {
    const values = Float32Array.of(1, 2, 3);
    const tensor = denseTensor('float32', [3], values) as DenseTensor & { dtype: 'float32' };
    expect(typedData(tensor).buffer).toBe(values.buffer);
  });

  it.each([Uint8Array, Buffer])('copies unaligned bytes (%s)', (Bytes) => {
    const file = Bytes.from([9, ...new Uint8Array(Float32Array.of(1, 2).buffer)]);
    const data = file.subarray(1);
    const unaligned = data.byteOffset % 4 === 0 ? Bytes.from([9, 9, ...file]).subarray(3) : data;
    expect(typedData({ kind: 'dense', dtype: 'float32', dims: [2], data: unaligned })).toEqual(
      Float32Array.of(1, 2),
    );
  });

  it('gives integers of 64 bits as bigint and half floats as bits', () => {
    expect(typedData(int64Tensor([2], [1, -1n]) as DenseTensor & { dtype: 'int64' })).toEqual(
      BigInt64Array.of(1n, -1n),
    );
    const half = denseTensor('float16', [1], Uint16Array.of(0x3c00)) as DenseTensor & { dtype: 'float16' };
    expect(typedData(half)).toEqual(Uint16Array.of(0x3c00));
  });
});

describe('denseTensor', () => {
  it('refuses data of another size than its dims', () => {
    expect(() => float32Tensor([2, 2], [1, 2, 3])).toThrow(/float32 \[2, 2\] needs 16 bytes, got 12/);
  });

  it('packs small types', () => {
    expect(denseTensor('int4', [3], Uint8Array.of(0x21, 0x03)).data).toEqual(Uint8Array.of(0x21, 0x03));
    expect([byteLengthOf('int4', 3), byteLengthOf('uint2', 5), byteLengthOf('complex128', 2)]).toEqual([
      2, 2, 32,
    ]);
  });
});

it('knows data types by their ONNX codes', () => {
  for (const [name, code] of Object.entries(DATA_TYPE_CODES)) expect(dataTypeFromCode(code)).toBe(name);
  expect([dataTypeFromCode(0), dataTypeFromCode(99)]).toEqual([undefined, undefined]);
});
