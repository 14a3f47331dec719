import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/index.ts';
import { inspectModel } from './inspect.ts';

const MODEL = parseModel(`opset ai.onnx 17
opset com.example 1

graph main {
  input x: float32[batch,seq,8]
  input mask: int64[batch,seq]
  constant w: float32[8,4] random(1)
  constant half: float16[4] x"003c003c003c003c"
  h = MatMul(x, w) @project
  a = Relu(h)
  b = Add(a, a)
  y: float32[batch,seq,4] = com.example.Mystery(b)
  output y
}`);

describe('inspectModel', () => {
  it('reports what the model is made of and what it costs', () => {
    const report = inspectModel(MODEL, { bindings: new Map([['batch', 1], ['seq', 10]]) }); // prettier-ignore
    expect(report).toMatchObject({
      opsets: { '': 17, 'com.example': 1 },
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['batch', 'seq', 8] },
        { name: 'mask', dtype: 'int64', shape: ['batch', 'seq'] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 'seq', 4] }],
      symbols: ['batch', 'seq'],
      parameters: 36,
      parameterBytes: 32 * 4 + 4 * 2,
      parametersByType: {
        float32: { tensors: 1, elements: 32, bytes: 128 },
        float16: { tensors: 1, elements: 4, bytes: 8 },
      },
      // Inputs 320 + 80 bytes and h live at first; the unused mask dies after the first node.
      totals: { macs: 320, activationBytes: 4 * 160, peakActivationBytes: 320 + 80 + 160 },
    });
    expect(report.nodes[0]).toMatchObject({ name: 'project', operator: 'MatMul', macs: 320, macShare: 1 });
    expect(report.nodes[1]).toMatchObject({ name: 'a', macShare: 0 });
    expect(report.operators).toContainEqual({
      name: 'com.example.Mystery',
      count: 1,
      known: false,
      evaluable: false,
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('warns of what stands in the way', () => {
    const codes = (options: Parameters<typeof inspectModel>[1]): string[] =>
      inspectModel(MODEL, options).warnings.map(({ code }) => code);
    expect(codes({})).toEqual(['dynamic-batch', 'unbound-dim', 'unsupported-op']);
    const inputShapes = new Map([['x', [1, 10, 8]], ['mask', [1, 10]]]); // prettier-ignore
    expect(codes({ inputShapes })).toEqual(['unsupported-op']);
    expect(inspectModel(MODEL).totals).toEqual({
      macs: null,
      activationBytes: null,
      peakActivationBytes: null,
    });
  });
});
