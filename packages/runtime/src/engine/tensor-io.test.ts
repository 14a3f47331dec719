import { describe, expect, it } from 'vitest';
import { readManifest } from '../format/index.ts';
import type { EdgeModel } from '../format/index.ts';
import { readOutput, sequenceOf, writeInputs } from './tensor-io.ts';

const model: EdgeModel = {
  kind: 'edge',
  programs: { relaxed: 'a', simd: 'b' },
  weights: { file: 'w', sections: [] },
  memory: { bytes: 65_536, perThreadBytes: 0, maxThreads: 1, weightsBytes: 0, arenaBytes: 0 },
  dims: { sequence: { max: 6 } },
  inputs: [
    { name: 'square', dtype: 'float32', shape: ['sequence', 'sequence', 2], address: 0 },
    { name: 'fixed', dtype: 'int32', shape: [3], address: 1000, default: 'zeros' },
    { name: 'scalar', dtype: 'float32', shape: [], address: 1012, default: 'ones' },
  ],
  outputs: [{ name: 'o', dtype: 'int32', shape: [1, 'sequence', 2], address: 2000, rowStride: 3 }],
};

describe('sequenceOf', () => {
  it('solves for the dimension, also when it occurs twice', () => {
    expect(sequenceOf(model, { square: new Float32Array(32) })).toBe(4);
    expect(() => sequenceOf(model, { square: new Float32Array(30) })).toThrow('cannot take 30 values');
    expect(() => sequenceOf(model, { square: new Float32Array(98) })).toThrow('sequence is 1 to 6');
  });

  it('is the upper bound when nothing varies', () => {
    const fixed = { ...model, inputs: model.inputs.slice(1) };
    expect(sequenceOf(fixed, { fixed: [1, 2, 3] })).toBe(6);
    expect(() => sequenceOf(fixed, { fixed: [1, 2] })).toThrow('takes 3 values, not 2');
    expect(() => sequenceOf(fixed, { toString: [1] })).toThrow('no input "toString"');
  });
});

it('writes dense inputs and defaults, reads strided outputs', () => {
  const memory = new ArrayBuffer(4096);
  new Int32Array(memory).fill(7);
  writeInputs(model, { square: [0.5, 1.5] }, 1, memory);
  expect(Array.from(new Float32Array(memory, 0, 2))).toEqual([0.5, 1.5]);
  expect(Array.from(new Int32Array(memory, 1000, 3))).toEqual([0, 0, 0]);
  expect(Array.from(new Float32Array(memory, 1012, 1))).toEqual([1]);
  new Int32Array(memory, 2000, 6).set([1, 2, 3, 4, 5, 6]);
  expect(readOutput(model.outputs[0] as (typeof model.outputs)[0], 2, memory)).toEqual({
    dtype: 'int32',
    shape: [1, 2, 2],
    data: Int32Array.of(1, 2, 4, 5),
  });
});

it('reads dense outputs as copies, or as views where they are enough', () => {
  const memory = new ArrayBuffer(4096);
  const output = { ...(model.outputs[0] as (typeof model.outputs)[0]), rowStride: 2 };
  const [copy, view] = [false, true].map((viewIsEnough) => readOutput(output, 2, memory, viewIsEnough).data);
  new Int32Array(memory, 2000, 4).fill(9);
  expect(copy).toEqual(new Int32Array(4));
  expect(view).toEqual(Int32Array.of(9, 9, 9, 9));
});

it('reads as many positions of the first axis as the program says', () => {
  const memory = new ArrayBuffer(4096);
  new Float32Array(memory, 2000, 8).set([1, 2, 3, 4, 5, 6, 7, 8]);
  const output = { name: 'o', dtype: 'float32', address: 2000, rowStride: 4, countAddress: 3000 } as const;
  const read = (count: number, shape: readonly number[]): readonly unknown[] => {
    new Int32Array(memory, 3000, 1)[0] = count;
    const tensor = readOutput({ ...output, shape }, 6, memory);
    return [tensor.shape, Array.from(tensor.data)];
  };
  expect(read(1, [2, 3])).toEqual([
    [1, 3],
    [1, 2, 3],
  ]);
  expect(read(0, [2, 3])).toEqual([[0, 3], []]);
  expect(read(9, [2, 3])).toEqual([
    [2, 3],
    [1, 2, 3, 5, 6, 7],
  ]);
  expect(read(3, [4])).toEqual([[3], [1, 2, 3]]);
});

it('the test model is one that the manifest reader takes', () => {
  const sha256 = '0'.repeat(64);
  const files = Object.fromEntries(['a', 'b', 'w'].map((name) => [name, { bytes: 0, sha256 }]));
  const manifest = { format: 'edgewise', formatVersion: 1, name: 'n', task: 't', model, files };
  expect(readManifest(JSON.stringify(manifest))).toEqual(manifest);
});
