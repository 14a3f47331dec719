import { expect, it } from 'vitest';
import { parseModel } from '../../ir/index.ts';
import { frontEndLayers } from './front-end-layers.ts';

it('names the layers that a logarithm depends on, and no others', () => {
  const model = parseModel(`ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,4]
  constant w: float32[4,4] random(1)
  a = edgewise.Linear(x, w) activation="none" @fourier
  s = Mul(a, a)
  m = edgewise.Linear(s, w) activation="relu" @mel
  l = Log(m)
  c = edgewise.Linear(l, w) activation="none" @cosine
  d = edgewise.Linear(x, w) activation="none" @beside
  y = Add(c, d)
  output y: float32[1,4]
}
`);
  expect(frontEndLayers(model)).toEqual(['fourier', 'mel']);
});
