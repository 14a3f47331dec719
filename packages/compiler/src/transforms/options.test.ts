import { describe, expect, it } from 'vitest';
import { cloneModel, parseModel } from '../ir/index.ts';
import { fixDims } from './fix-dims.ts';
import { foldConstants } from './fold-constants.ts';

const MODEL = parseModel(`ir 10
opset ai.onnx 17

graph main {
  input x: float32[batch,4]
  y = Relu(x)
  output y: float32[batch,4]
}
`);

describe('options', () => {
  it('are checked when the transform is made', () => {
    expect(() => foldConstants({ maxBytes: -1 })).toThrow('maxBytes must be 0 or more, got -1');
    expect(() => foldConstants({ maxBytes: NaN })).toThrow('maxBytes');
    expect(() => fixDims({ batch: 0 })).toThrow('batch must be a whole number of 1 or more, got 0');
    expect(() => fixDims({ batch: 1.5 })).toThrow('got 1.5');
  });

  it('that name no dimension of the model give a warning with those that there are', () => {
    const { edits, diagnostics } = fixDims({ bacth: 1 }).apply(cloneModel(MODEL));
    expect(edits).toBe(0);
    expect(diagnostics).toEqual([
      {
        severity: 'warning',
        code: 'unknown-dimension',
        message: 'fixDims: no input has the dimension bacth',
        hint: 'the dimensions are batch',
      },
    ]);
  });
});
