import { expect, it } from 'vitest';
import type { CompilerError } from '../../src/diagnostics/index.ts';
import { compileEdge } from '../../src/targets/index.ts';
import { parseGraph } from '../engine-graphs.ts';

/** What the engine does not run yet: the error names the node and the reason. */
const REFUSED: Readonly<Record<string, readonly [body: string, message: string]>> = {
  'an operator without a kernel': [
    `
  input x: float32[1,2,3,4]
  y = Atanh(x)
  output y: float32[1,2,3,4]`,
    'The engine has no kernel for Atanh (1 node).',
  ],
  'values of int8': [
    `
  input x: float32[1,4,3,4]
  constant s: float32[] {0.1}
  constant z: int8[] {3}
  q = QuantizeLinear(x, s, z)
  y = DequantizeLinear(q, s, z)
  output y: float32[1,4,3,4]`,
    'The engine cannot run QuantizeLinear "q": values of int8 are not supported, only uint8.',
  ],
  'a scale for each channel': [
    `
  input x: float32[1,2,3,4]
  constant s: float32[2] {0.1, 0.2}
  constant z: uint8[2] {3, 4}
  q = QuantizeLinear(x, s, z)
  y = DequantizeLinear(q, s, z)
  output y: float32[1,2,3,4]`,
    'The engine cannot run QuantizeLinear "q": the constant "s" must hold one element.',
  ],
  'the places of the largest values': [
    `
  input x: float32[1,2,4,4]
  m, places = MaxPool(x) kernel_shape=[2, 2]
  y = Relu(m)
  output y: float32[1,2,3,3]
  output places: int64[1,2,3,3]`,
    'The engine cannot run MaxPool "m": its output "places" is not supported.',
  ],
  'a convolution over three axes': [
    `
  input x: float32[1,4,9,9,9]
  constant w: float32[4,4,3,3,3] random(1)
  y = edgewise.Conv(x, w) activation="none"
  output y: float32[1,4,7,7,7]`,
    'The engine cannot run Conv "y": its input "x" is no map [1, channels, height, width].',
  ],
  'interpolation that widens its window': [
    `
  input x: float32[1,4,3,4]
  constant scales: float32[4] {1, 1, 2, 2}
  y = Resize(x, _, scales) mode="cubic" antialias=1
  output y: float32[1,4,6,8]`,
    'The engine cannot run Resize "y": antialias is not supported.',
  ],
  'arithmetic with whole numbers': [
    `
  input x: float32[1,4,3,4]
  constant two: int64[] {2}
  a = ArgMax(x) axis=1
  y = Mul(a, two)
  output y: int64[1,1,3,4]`,
    'The engine cannot run Mul "y": its input "a" holds whole numbers.',
  ],
  'indices that count from the end': [
    `
  input x: float32[1,4,3,4]
  constant last: int64[1,1,3,4] {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}
  a = ArgMax(x) axis=1
  y = Concat(a, last) axis=1
  output y: int64[1,2,3,4]`,
    'The engine cannot run Concat "y": the constant "last" must hold indices from 0 on.',
  ],
  'more of the largest values than there are': [
    `
  input x: float32[1,4]
  constant k: int64[1] {5}
  y, places = TopK(x, k)
  output y: float32[1,5]`,
    'The engine cannot run TopK "y": it wants 5 of 4 values.',
  ],
  'a sum over the boxes that are left': [
    `
  input boxes: float32[1,9,4]
  input scores: float32[1,2,9]
  constant most: int64[] {5}
  a = NonMaxSuppression(boxes, scores, most)
  b = Cast(a) to=1
  y = ReduceSum(b) keepdims=0
  output y: float32[]`,
    'The engine cannot run ReduceSum "y": the number of its rows is known in a run only.',
  ],
  'quantized values as an output': [
    `
  input x: float32[1,4,3,4]
  constant s: float32[] {0.1}
  constant z: uint8[] {3}
  y = QuantizeLinear(x, s, z)
  output y: uint8[1,4,3,4]`,
    'Output "y" is not float32.',
  ],
};

it.each(Object.entries(REFUSED))('%s', (_, [body, message]) => {
  let error: unknown;
  try {
    compileEdge(parseGraph(body));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'unsupported', message });
  const [diagnostic = error] = (error as CompilerError).diagnostics;
  expect((diagnostic as { hint?: string }).hint).toContain('onnx target');
});
