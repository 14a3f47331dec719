import { describe, expect, it } from 'vitest';
import { readOnnx } from '../../import/onnx/index.ts';
import { parseModel, type Model } from '../../ir/index.ts';
import { operatorName } from '../../rewrite/index.ts';
import { writeOnnxPackage } from './write-onnx-package.ts';

const compact = (input = 'input_ids'): Model =>
  parseModel(`ir 8
opset ai.onnx 17
opset edgewise 1

graph main {
  input ${input}: int64[batch,sequence]
  constant table: float32[9,4] random(1)
  constant weight: float32[4,2] random(2)
  x: float32[batch,sequence,4] = Gather(table, ${input})
  logits: float32[batch,sequence,2] = edgewise.Linear(x, weight) activation="gelu"
  output logits: float32[batch,sequence,2]
}
`);

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const json = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));

const files = new Map([
  ['config.json', utf8({ model_type: 'distilbert', id2label: { 0: 'NO', 1: 'YES' } })],
  ['tokenizer.json', utf8({ version: '1.0' })],
  ['tokenizer_config.json', utf8({ tokenizer_class: 'BertTokenizer' })],
]);

function operators(bytes: Uint8Array | undefined): string[] {
  return readOnnx(bytes ?? new Uint8Array()).graph.nodes.map(operatorName);
}

describe('writeOnnxPackage', () => {
  it('lays both models out as transformers.js looks for them', () => {
    const result = writeOnnxPackage({
      float: compact(),
      quantized: compact(),
      files,
      expand: { contrib: false },
    });
    expect([...result.keys()].toSorted()).toEqual([
      'config.json',
      'onnx/model.onnx',
      'onnx/model_quantized.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(operators(result.get('onnx/model_quantized.onnx'))).toEqual([
      'Gather',
      'MatMul',
      'Div',
      'Erf',
      'Add',
      'Mul',
      'Mul',
    ]);
    expect(json(result.get('config.json'))).toEqual({
      model_type: 'distilbert',
      id2label: { 0: 'NO', 1: 'YES' },
      'transformers.js_config': { dtype: 'q8' },
    });
    expect(result.get('tokenizer.json')).toBe(files.get('tokenizer.json'));
  });

  it('keeps the dtype that config.json names, and says fp32 for a float model alone', () => {
    const settings = { dtype: 'fp16', use_external_data_format: false };
    const named = new Map([
      ...files,
      ['config.json', utf8({ model_type: 'x', 'transformers.js_config': settings })],
    ]);
    expect(json(writeOnnxPackage({ float: compact(), files: named }).get('config.json'))).toEqual({
      model_type: 'x',
      'transformers.js_config': settings,
    });
    expect(json(writeOnnxPackage({ float: compact(), files }).get('config.json'))).toMatchObject({
      'transformers.js_config': { dtype: 'fp32' },
    });
  });

  it.each([
    ['no model', { files }, /needs a float model/],
    ['no config.json', { float: compact(), files: new Map() }, /needs a config\.json/],
    [
      'half a tokenizer',
      { float: compact(), files: new Map([...files].slice(0, 2)) },
      /no tokenizer_config\.json/,
    ],
    [
      'text that is not JSON',
      { float: compact(), files: new Map([['config.json', new Uint8Array([123])]]) },
      /not JSON/,
    ],
    ['a list', { float: compact(), files: new Map([['config.json', utf8([])]]) }, /no model_type/],
    ['a foreign input', { float: compact('pixel_values'), files }, /no input 'pixel_values'/],
  ])('refuses %s', (_, parts, message) => {
    expect(() => writeOnnxPackage(parts)).toThrow(message);
  });
});
