import { describe, expect, it } from 'vitest';
import { parseModel, type DenseTensor, type Model } from '../../ir/index.ts';
import { externalDataFrom } from './external-data.ts';
import { readOnnx } from './read-onnx.ts';
import { writeOnnx } from './write-onnx.ts';

const GIBIBYTE = 2 ** 30;

function modelWith(...tensors: DenseTensor[]): Model {
  const model = parseModel('graph g {\n}');
  model.graph.initializers = new Map(tensors.map((tensor, i) => [`w${i}`, tensor]));
  return model;
}

function bytesTensor(length: number): DenseTensor {
  return { kind: 'dense', dtype: 'uint8', dims: [length], data: new Uint8Array(length).fill(length % 251) };
}

describe('external data', () => {
  it('takes large initializers, each on a page of its own', () => {
    const model = modelWith(bytesTensor(100), bytesTensor(5000), bytesTensor(1024), bytesTensor(1023));
    const { bytes, externalData } = writeOnnx(model, { external: { location: 'sub/w.bin' } });
    expect(externalData?.location).toBe('sub/w.bin');
    expect(externalData?.byteLength).toBe(8192 + 1024);
    expect(externalData?.parts.map((part) => part.length)).toEqual([5000, 8192 - 5000, 1024]);
    const file = Buffer.concat(externalData?.parts ?? []);
    expect(readOnnx(bytes, { external: externalDataFrom(new Map([['sub/w.bin', file]])) })).toEqual(model);
    expect(() => readOnnx(bytes)).toThrow(/'sub\/w.bin', which is not here/);
  });

  it('is the only way beyond 2 GiB, and copies nothing', () => {
    const data = new Uint8Array(GIBIBYTE); // untouched pages take no memory
    const tensor: DenseTensor = { kind: 'dense', dtype: 'uint8', dims: [GIBIBYTE], data };
    const model = modelWith(tensor, tensor, tensor);
    expect(() => writeOnnx(model)).toThrow(/takes 32212\d+ bytes; an ONNX file ends at 2 GiB/);
    const { bytes, externalData } = writeOnnx(model, { external: { location: 'w.bin' } });
    expect(bytes.length).toBeLessThan(300);
    expect(externalData?.byteLength).toBe(3 * GIBIBYTE);
    expect(externalData?.parts.every((part) => part.buffer === data.buffer)).toBe(true);
    const read = readOnnx(bytes, { external: (_location, _offset, length) => data.subarray(0, length) });
    expect([...read.graph.initializers.values()].map(({ dims }) => dims)).toEqual([
      [GIBIBYTE],
      [GIBIBYTE],
      [GIBIBYTE],
    ]);
  });

  it('stays in the folder', () => {
    expect(() => writeOnnx(modelWith(), { external: { location: '../w.bin' } })).toThrow(/not a plain path/);
  });
});
