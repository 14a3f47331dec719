import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../runtime-error.ts';
import { memoryBytes, memoryPages, readManifest, validateManifest, type Manifest } from './index.ts';

const sha256 = 'ab'.repeat(32);

function manifest() {
  return {
    format: 'edgewise',
    formatVersion: 1,
    name: 'test',
    task: 'text-classification',
    model: {
      kind: 'edge',
      programs: { relaxed: 'model.relaxed.wasm', simd: 'model.simd.wasm' },
      weights: {
        file: 'model.weights',
        sections: [
          { offset: 0, bytes: 64, address: 64, encoding: 'raw' },
          { offset: 64, bytes: 20, address: 128, encoding: 'int4', count: 39, arguments: [1, -1] },
        ] as Record<string, unknown>[],
      },
      memory: { bytes: 4096, perThreadBytes: 100, maxThreads: 4, weightsBytes: 256, arenaBytes: 3840 },
      dims: { sequence: { max: 16 } },
      inputs: [{ name: 'ids', dtype: 'int32', shape: [1, 'sequence'], address: 256, range: [0, 9] }],
      outputs: [{ name: 'logits', dtype: 'float32', shape: [1, 2], address: 4088, rowStride: 2 }],
      macsPerToken: 5,
    },
    tokenizer: { file: 'tokenizer.json', maxLength: 16 },
    labels: ['a', 'b'],
    files: {
      'model.relaxed.wasm': { bytes: 1, sha256 },
      'model.simd.wasm': { bytes: 1, sha256 },
      'model.weights': { bytes: 100, sha256 },
      'tokenizer.json': { bytes: 1, sha256 },
    } as Record<string, unknown>,
    proof: { machine: 'here', latencyMs: { p50: 1, p95: 2 } },
    somethingNew: true,
  };
}

/** The manifest with the value at a dotted path replaced; `undefined` removes it. */
function changed(path: string, value: unknown): unknown {
  const root = manifest();
  const keys = path.split('/');
  const last = keys.pop() ?? '';
  let target = root as unknown as Record<string, unknown>;
  for (const key of keys) target = target[key] as Record<string, unknown>;
  if (value === undefined) delete target[last];
  else target[last] = value;
  return root;
}

describe('readManifest', () => {
  it('takes a good one and keeps fields it does not know', () => {
    expect(readManifest(JSON.stringify(manifest()))).toEqual(manifest());
    const onnx = { ...manifest(), model: { kind: 'onnx', file: 'model.weights' } };
    expect(validateManifest(onnx)).toBe(onnx);
  });

  it.each<[string, unknown, string]>([
    ['format', 'onnx', 'format must be "edgewise", not "onnx"'],
    ['formatVersion', 2, 'formatVersion must be 1, not 2'],
    ['name', '', 'name must be a text of 1 to 1000 characters'],
    ['task', undefined, 'task must be a text of 1 to 1000 characters, not missing'],
    ['labels', undefined, 'labels must be an array'],
    ['labels', [], 'labels must be an array of 1 to 100000 elements'],
    ['labels', ['a', 1], 'labels[1] must be a text'],
    ['multiLabel', 1, 'multiLabel must be true or false'],
    ['pooling', 'max', 'pooling must be "mean" or "cls"'],
    ['files', [], 'files must be an object'],
    ['files/../secret', { bytes: 1, sha256 }, 'each name in files must be a plain file name'],
    ['files/model.weights/bytes', -1, 'files.model.weights.bytes must be a whole number from 0'],
    ['files/model.weights/bytes', 1.5, 'files.model.weights.bytes must be a whole number'],
    ['files/model.weights/sha256', 'xyz', 'files.model.weights.sha256 must be 64 lower-case'],
    ['model', null, 'model must be an object, not null'],
    ['model/kind', 'tflite', 'model.kind must be "edge" or "onnx"'],
    ['model/programs/simd', 'other.wasm', 'model.programs.simd must be the name of a file listed in files'],
    ['model/programs/simd', '__proto__', 'must be the name of a file listed in files'],
    ['model/weights/sections', {}, 'sections must be an array'],
    ['model/weights/sections/0/offset', -1, 'sections[0].offset must be a whole number from 0 to 100'],
    ['model/weights/sections/0/bytes', 101, 'sections[0].bytes must be a whole number from 0 to 100'],
    ['model/weights/sections/1/offset', 63, 'sections[1].offset must be a whole number from 64'],
    ['model/weights/sections/0/address', 256, 'sections[0].address must be a whole number from 0 to 192'],
    [
      'model/weights/sections/0/address',
      100,
      'sections[1] must be apart in memory from model.weights.sections[0]',
    ],
    ['model/weights/sections/0/encoding', 'zip', 'encoding must be "raw" or "int4"'],
    ['model/weights/sections/1/count', undefined, 'sections[1].count must be'],
    ['model/weights/sections/1/count', 41, 'sections[1].bytes must be half of count (41), rounded up'],
    ['model/weights/sections/1/arguments', [2 ** 32], 'arguments[0] must be'],
    ['model/memory/bytes', 2 ** 32, 'memory.bytes must be'],
    ['model/memory/perThreadBytes', 2 ** 31, 'perThreadBytes must be'],
    ['model/memory/maxThreads', 65, 'maxThreads must be'],
    ['model/memory/weightsBytes', 5000, 'weightsBytes must be a whole number from 0 to 4096'],
    ['model/memory/arenaBytes', 3841, 'arenaBytes must be a whole number from 0 to 3840'],
    ['model/dims/sequence/max', 0, 'dims.sequence.max must be a whole number from 1'],
    ['model/inputs', [], 'inputs must be an array of 1 to 64'],
    ['model/inputs/0/dtype', 'int64', 'dtype must be "int32" or "float32"'],
    ['model/inputs/0/shape', [1, 'batch'], 'shape[1] must be a whole number'],
    ['model/inputs/0/shape', [2 ** 30, 2 ** 30, 2 ** 30], 'address must be where'],
    ['model/inputs/0/address', 255, 'inputs[0].address must be a whole number from 256 to 4032'],
    ['model/inputs/0/address', 258, 'inputs[0].address must be a multiple of 4'],
    ['model/inputs/0/range', [0], 'range must be an array of 2 to 2'],
    ['model/outputs/0/address', 4092, 'outputs[0].address must be'],
    ['model/outputs/0/rowStride', 1, 'rowStride must be a whole number from 2'],
    ['tokenizer/maxLength', 17, 'tokenizer.maxLength must be a whole number from 1 to 16'],
    ['tokenizer/file', 'missing.json', 'tokenizer.file must be the name of a file'],
    ['proof/latencyMs/p50', null, 'proof.latencyMs.p50 must be a number, not null'],
  ])('refuses %s = %j', (path, value, message) => {
    const text = JSON.stringify(changed(path.replace('files/../', 'files/..-'), value)).replace(
      '"..-',
      '"../',
    );
    expect(() => readManifest(text)).toThrow(RuntimeError);
    expect(() => readManifest(text)).toThrow(message);
  });

  it('refuses two tensors of one name and values that JSON cannot hold', () => {
    const [input] = manifest().model.inputs;
    expect(() => validateManifest(changed('model/inputs', [input, input]))).toThrow(
      'a name that no other has',
    );
    expect(() => validateManifest(changed('model/memory/bytes', NaN))).toThrow('memory.bytes');
    expect(() => readManifest('')).toThrow('edgewise.json is not JSON');
    expect(() => readManifest('[]')).toThrow('the manifest must be an object, not []');
    expect(() => readManifest('{"__proto__": {"format": "edgewise"}}')).toThrow('format must be');
  });
});

it('memory grows by each thread', () => {
  const { memory } = (manifest() as unknown as Manifest & { model: { kind: 'edge' } }).model;
  expect(memoryBytes(memory, 1)).toBe(4096);
  expect(memoryBytes(memory, 4)).toBe(4396);
  expect(memoryPages(memory, 4)).toBe(1);
  expect(memoryPages({ ...memory, perThreadBytes: 65_536 }, 2)).toBe(2);
});
