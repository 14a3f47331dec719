import { parseModel, type Model } from '@edgewise/compiler';
import { describe, expect, it } from 'vitest';
import { checkFloat } from './check-float.ts';

const withOperator = (line: string): Model =>
  parseModel(`ir 8
opset ai.onnx 13
graph g {
  input x: float32[2,2]
  constant s: float32[] {0.1}
  constant z: uint8[] {3}
  ${line}
  output y: float32[2,2]
}`);

describe('checkFloat', () => {
  it('refuses what is quantized at run time, naming the file and what was found', () => {
    const model = withOperator('q, qs, qz = DynamicQuantizeLinear(x)\n  y = Relu(x)');
    for (const allowsStatic of [true, false])
      expect(() => checkFloat(model, 'a/model.onnx', { static: allowsStatic })).toThrow(
        'a/model.onnx is quantized already: it holds DynamicQuantizeLinear.',
      );
  });

  it('refuses static quantization where no candidates come of it', () => {
    const model = withOperator('q = QuantizeLinear(x, s, z)\n  y = DequantizeLinear(q, s, z)');
    expect(() => checkFloat(model, 'm.onnx', { static: false })).toThrow('it holds QuantizeLinear');
    expect(() => checkFloat(model, 'm.onnx', { static: true })).not.toThrow();
    expect(() => checkFloat(withOperator('y = Relu(x)'), 'm.onnx', { static: false })).not.toThrow();
  });
});
