import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import {
  denseTensor,
  float32Tensor,
  parseModel,
  typedData,
  type Float32Tensor,
  type Model,
} from '../../ir/index.ts';
import { evaluateModel } from '../../ops/index.ts';
import { operatorName, runPasses } from '../../rewrite/index.ts';
import { unsignedActivations } from './unsigned-activations.ts';

/** As quantize_static writes it: int8 everywhere, a constant among the activations. */
const QDQ = `ir 8
opset ai.onnx 13
graph main {
  input x: float32[1,2,6,6]
  constant sx: float32[] {0.02}
  constant zx: int8[] {-11}
  constant sw: float32[] {0.01}
  constant zw: int8[] {0}
  constant sy: float32[] {0.12}
  constant zy: int8[] {7}
  xq = QuantizeLinear(x, sx, zx)
  xf = DequantizeLinear(xq, sx, zx)
  wf = DequantizeLinear(w, sw, zw)
  c = Conv(xf, wf) kernel_shape=[3, 3]
  cq = QuantizeLinear(c, sy, zy)
  p = MaxPool(cq) kernel_shape=[2, 2]
  pf = DequantizeLinear(p, sy, zy)
  kf = DequantizeLinear(k, sy, zy)
  s = Add(pf, kf)
  sq = QuantizeLinear(s, sy, zy)
  y = DequantizeLinear(sq, sy, zy)
  output y: float32[1,3,3,3]
}`;

const random = seededRandom(3);
const bytes = (length: number): Int8Array => Int8Array.from({ length }, () => random.int(-128, 127));

function model(text = QDQ): Model {
  const parsed = parseModel(text);
  parsed.graph.initializers.set('w', denseTensor('int8', [3, 2, 3, 3], bytes(54)));
  parsed.graph.initializers.set('k', denseTensor('int8', [1, 3, 1, 1], Int8Array.of(-60, 5, 40)));
  return parsed;
}

const inputs = new Map([['x', float32Tensor([1, 2, 6, 6], random.normal(72, 0, 2))]]);
const outputOf = (each: Model): number[] => [
  ...typedData(evaluateModel(each, inputs).get('y') as Float32Tensor),
];

describe('unsignedActivations', () => {
  it('gives the same numbers with uint8 activations, int8 weights', async () => {
    const before = model();
    const { model: after, steps } = await runPasses(before, [unsignedActivations()]);
    expect(steps[0]?.edits).toBeGreaterThan(0);
    const { initializers, nodes } = after.graph;
    for (const node of nodes.filter(({ opType }) => opType.endsWith('QuantizeLinear'))) {
      expect(initializers.get(node.inputs[2]!)?.dtype).toBe(node.inputs[0] === 'w' ? 'int8' : 'uint8');
    }
    expect(outputOf(after)).toEqual(outputOf(before));
    expect(new Set(outputOf(after)).size).toBeGreaterThan(10);
  });

  it('leaves graphs alone where something else reads the bytes, or where they leave the graph', async () => {
    const read = QDQ.replace('pf = Dequant', 'n = Neg(p)\n  pf = Dequant');
    const left = QDQ.replace('output y', 'output cq: int8[1,3,4,4]\n  output y');
    for (const text of [read, left]) {
      const { model: after, steps } = await runPasses(model(text), [unsignedActivations()]);
      expect(steps[0]?.edits).toBe(0);
      expect(after.graph.nodes.map(operatorName)).toEqual(model(text).graph.nodes.map(operatorName));
    }
  });
});
