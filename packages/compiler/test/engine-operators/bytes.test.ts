import { expect, it } from 'vitest';
import { runBoth } from './run-both.ts';

// Graphs of bytes: the outputs are the same as onnxruntime's.

const GRID = `
  input x: float32[1,10,6,5]
  constant s: float32[] {0.02}
  constant z: uint8[] {120}
  constant s2: float32[] {0.031}
  constant z2: uint8[] {90}
  q = QuantizeLinear(x, s, z)`;

const BYTES: Readonly<Record<string, string>> = {
  'moves: Slice, Pad, Resize, Concat over width': `${GRID}
  constant starts: int64[2] {1, 0}
  constant ends: int64[2] {6, 5}
  constant axes: int64[2] {2, 3}
  constant steps: int64[2] {2, 2}
  constant pads: int64[8] {0, 2, 1, 0, 0, 4, 0, 2}
  constant scales: float32[4] {1, 1, 2, 2}
  a = Slice(q, starts, ends, axes, steps)
  b = Pad(a, pads, z)
  c = Resize(b, _, scales) mode="nearest" coordinate_transformation_mode="asymmetric" nearest_mode="floor"
  d = Concat(c, c) axis=3
  y = DequantizeLinear(d, s, z)
  output y: float32[1,16,8,20]`,
  'a shuffle of channels into a convolution': `${GRID}
  constant groups: int64[3] {5, 2, 30}
  constant apart: int64[5] {2, -1, 5, 6, 5}
  constant second: int64[] {1}
  constant w: int8[3,5,1,1] random(1)
  constant sw: float32[3] {0.002, 0.003, 0.001}
  constant zw: int8[3] {0, 0, 0}
  b = Reshape(q, groups)
  c = Transpose(b) perm=[1, 0, 2]
  d = Reshape(c, apart)
  e = Gather(d, second) axis=0
  f = QLinearConv(e, s, z, w, sw, zw, s2, z2)
  y = DequantizeLinear(f, s2, z2)
  output y: float32[1,3,6,5]`,
  'QLinearConcat over height, with other grids': `${GRID}
  r = QuantizeLinear(x, s2, z2)
  c = com.microsoft.QLinearConcat(s2, z2, q, s, z, r, s2, z2) axis=2
  y = DequantizeLinear(c, s2, z2)
  output y: float32[1,10,12,5]`,
  'QLinearMul of maps and of a gate': `${GRID}
  r = QuantizeLinear(x, s2, z2)
  a = com.microsoft.QLinearMul(q, s, z, r, s2, z2, s, z)
  g = com.microsoft.QLinearGlobalAveragePool(q, s, z, s2, z2) channels_last=0
  b = com.microsoft.QLinearMul(g, s2, z2, a, s, z, s2, z2)
  y = DequantizeLinear(b, s2, z2)
  output y: float32[1,10,6,5]`,
  QLinearAveragePool: `${GRID}
  a = com.microsoft.QLinearAveragePool(q, s, z, s2, z2) kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1] count_include_pad=1 channels_last=0
  b = com.microsoft.QLinearAveragePool(a, s2, z2, s, z) kernel_shape=[2, 2] pads=[1, 0, 0, 1] channels_last=0
  y = DequantizeLinear(b, s, z)
  output y: float32[1,10,3,3]`,
  'linear Resize': `${GRID}
  constant scales: float32[4] {1, 1, 2, 1.4}
  a = Resize(q, _, scales) mode="linear" coordinate_transformation_mode="pytorch_half_pixel"
  y = DequantizeLinear(a, s, z)
  output y: float32[1,10,12,7]`,
  'a map that is float in between': `${GRID}
  f = DequantizeLinear(q, s, z)
  g = Relu(f)
  r = QuantizeLinear(g, s2, z2)
  y = DequantizeLinear(r, s2, z2)
  output y: float32[1,10,6,5]`,
  'a convolution in groups, its maps read by others': `${GRID}
  constant w: int8[15,2,3,2] random(1)
  constant sw: float32[15] {0.002, 0.003, 0.001, 0.002, 0.003, 0.001, 0.002, 0.003, 0.001, 0.002, 0.003, 0.001, 0.002, 0.003, 0.001}
  constant zw: int8[15] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
  constant b: int32[15] {10, -200, 3000, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
  a = QLinearConv(q, s, z, w, sw, zw, s2, z2, b) group=5 pads=[1, 0, 1, 1]
  m = MaxPool(a) kernel_shape=[2, 2]
  constant s3: float32[] {0.0173}
  c = com.microsoft.QLinearAdd(m, s2, z2, m, s2, z2, s3, z)
  y = DequantizeLinear(c, s3, z)
  output y: float32[1,15,5,4]`,
  'a map flattened into QGemm': `${GRID}
  constant w: int8[300,7] random(1)
  constant sw: float32[7] {0.002, 0.003, 0.001, 0.002, 0.001, 0.004, 0.002}
  constant zw: int8[7] {0, 0, 0, 0, 0, 0, 0}
  constant b: int32[7] {10, -200, 3000, 0, 5, 6, 7}
  f = Flatten(q)
  y = com.microsoft.QGemm(f, s, z, w, sw, zw, b) transB=0
  output y: float32[1,7]`,
};

it.each(Object.entries(BYTES))('%s', async (_, body) => {
  const { actual, expected } = await runBoth(body);
  expect(actual).toEqual(expected);
});
