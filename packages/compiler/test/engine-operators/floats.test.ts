import { expectTensorClose } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import { runBoth } from './run-both.ts';

// Arithmetic of float32 in another order or with another polynomial than onnxruntime's.

const TOLERANCE = { abs: 2e-6, rel: 2e-6 };

const FLOATS: Readonly<Record<string, string>> = {
  'heads: Transpose, Reshape, Concat, Softmax': `
  input x: float32[1,6,3,4]
  input z: float32[1,4,2,2]
  constant pairs: int64[3] {1, -1, 2}
  a = Transpose(x) perm=[0, 2, 3, 1]
  b = Reshape(a, pairs)
  c = Transpose(z) perm=[0, 2, 3, 1]
  d = Reshape(c, pairs)
  e = Concat(b, d) axis=1
  y = Softmax(e) axis=-1
  output y: float32[1,44,2]`,
  'Softmax over channels, width and height': `
  input x: float32[1,6,3,4]
  a = Softmax(x) axis=1
  b = Softmax(a) axis=3
  y = Softmax(b) axis=-2
  output y: float32[1,6,3,4]`,
  'products of two computed matrices, one of them transposed': `
  input x: float32[1,13,6]
  input z: float32[1,11,6]
  constant back: int64[2] {11, 6}
  a = Relu(x)
  b = Tanh(z)
  r = Reshape(b, back)
  t = Transpose(r) perm=[1, 0]
  s = MatMul(a, t)
  p = Softmax(s) axis=-1
  y = MatMul(p, r)
  output y: float32[1,13,6]`,
  'constants in a Concat, and a difference from one': `
  input x: float32[1,4,6]
  constant first: float32[1,1,6] random(1)
  constant last: float32[1,2,6] random(2)
  constant all: float32[1,7,6] random(3)
  a = Concat(first, x, last) axis=1
  y = Sub(all, a)
  output y: float32[1,7,6]`,
  'a logarithm with a floor': `
  input x: float32[1,5,3,4]
  constant floor: float32[] {1e-6}
  a = Clip(x, floor)
  y = Log(a)
  output y: float32[1,5,3,4]`,
  'a map flattened into a matrix': `
  input x: float32[1,5,3,4]
  constant w: float32[60,7] random(1)
  constant b: float32[7] random(2)
  a = Relu(x)
  f = Flatten(a)
  y = edgewise.Linear(f, w, b) activation="tanh"
  output y: float32[1,7]`,
  'a matrix on the channels of each pixel': `
  input x: float32[1,5,3,4]
  constant w: float32[5,9] random(1)
  a = Transpose(x) perm=[0, 2, 3, 1]
  b = edgewise.Linear(a, w) activation="none"
  y = Transpose(b) perm=[0, 3, 1, 2]
  output y: float32[1,9,3,4]`,
  'rows without pixels': `
  input x: float32[1,20]
  constant w: float32[20,9] random(1)
  y = edgewise.Linear(x, w) activation="relu"
  output y: float32[1,9]`,
  'arithmetic with scalars, channels and whole maps': `
  input x: float32[1,5,3,4]
  constant half: float32[] {0.5}
  constant channels: float32[5,1,1] random(1)
  constant pixels: float32[1,1,3,4] random(2)
  constant all: float32[1,5,3,4] random(3)
  constant one: float32[1] {1}
  a = Mul(x, half)
  b = Add(a, channels)
  c = Sub(b, pixels)
  d = Mul(all, c)
  e = Sub(one, d)
  f = Sigmoid(e)
  y = Div(x, f)
  output y: float32[1,5,3,4]`,
  'a scalar where a dimension goes on from rows to columns': `
  input x: float32[1,3,4,5]
  constant flat: int64[2] {3, 20}
  constant half: float32[] {0.5}
  a = Relu(x)
  b = Reshape(a, flat)
  y = Sub(half, b)
  output y: float32[3,20]`,
  'a constant beside a convolution in groups': `
  input x: float32[1,6,4,5]
  constant w: float32[4,3,1,3] random(1)
  constant c: float32[1,1,5] random(2)
  a = edgewise.Conv(x, w) group=2 pads=[0, 1, 0, 1] activation="none"
  y = Min(a, c)
  output y: float32[1,4,4,5]`,
  'maps of one shape, in different layouts': `
  input x: float32[1,4,4,4]
  a = Relu(x)
  b = Transpose(a) perm=[0, 3, 1, 2]
  c = Add(a, b)
  d = Mul(b, c)
  y = Sub(d, x)
  output y: float32[1,4,4,4]`,
  'gates of channels and of pixels': `
  input x: float32[1,9,3,4]
  constant w: float32[1,9,1,1] random(1)
  a = GlobalAveragePool(x)
  b = HardSigmoid(a) alpha=0.3 beta=0.4
  c = Mul(b, x)
  d = edgewise.Conv(c, w) activation="sigmoid"
  y = Mul(c, d)
  output y: float32[1,9,3,4]`,
  'the decoding of boxes': `
  input x: float32[1,6,4]
  constant zero: int64[1] {0}
  constant two: int64[1] {2}
  constant end: int64[1] {4}
  constant axis: int64[1] {2}
  constant centres: float32[1,6,2] random(1)
  constant sizes: float32[1,6,2] random(2)
  constant fifth: float32[] {0.2}
  a = Slice(x, zero, two, axis)
  b = Slice(x, two, end, axis)
  c = Mul(a, sizes)
  d = Add(c, centres)
  e = Mul(b, fifth)
  f = Exp(e)
  g = Mul(f, sizes)
  h = Sub(d, g)
  i = Add(d, g)
  y = Concat(h, i) axis=2
  output y: float32[1,6,4]`,
  'average pooling': `
  input x: float32[1,9,7,8]
  a = AveragePool(x) kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1] count_include_pad=1
  y = AveragePool(a) kernel_shape=[2, 3] pads=[0, 1, 1, 1]
  output y: float32[1,9,4,4]`,
  'linear Resize by scales and to sizes': `
  input x: float32[1,9,3,4]
  constant scales: float32[4] {1, 1, 2, 1.5}
  constant sizes: int64[4] {1, 9, 4, 11}
  a = Resize(x, _, scales) mode="linear" coordinate_transformation_mode="half_pixel"
  b = Resize(a, _, _, sizes) mode="linear" coordinate_transformation_mode="align_corners"
  y = Resize(b, _, scales) mode="linear" coordinate_transformation_mode="asymmetric"
  output y: float32[1,9,8,16]`,
  'a convolution in groups, then a depthwise one with two filters for each channel': `
  input x: float32[1,10,7,6]
  constant w: float32[15,2,3,2] random(1)
  constant b: float32[15] random(2)
  constant d: float32[30,1,3,3] random(3)
  a = edgewise.Conv(x, w, b) group=5 strides=[2, 1] pads=[1, 0, 1, 1] activation="relu"
  b0 = edgewise.Conv(a, d) group=15 pads=[1, 1, 1, 1] activation="mish"
  m = MaxPool(b0) kernel_shape=[2, 3] strides=[1, 2]
  y = Add(m, m)
  output y: float32[1,30,3,2]`,
  'convolutions in groups over one axis': `
  input x: float32[1,12,15]
  constant w: float32[6,4,5] random(1)
  constant p: float32[9,2,1] random(2)
  a = edgewise.Conv(x, w) group=3 pads=[2, 2] activation="none"
  y = edgewise.Conv(a, p) group=3 activation="silu"
  output y: float32[1,9,15]`,
  'cubic Resize by scales and to sizes': `
  input x: float32[1,9,3,4]
  constant scales: float32[4] {1, 1, 2, 1.5}
  constant sizes: int64[4] {1, 9, 4, 11}
  a = Resize(x, _, scales) mode="cubic" coordinate_transformation_mode="half_pixel" cubic_coeff_a=-0.5
  b = Resize(a, _, _, sizes) mode="cubic" coordinate_transformation_mode="align_corners"
  y = Resize(b, _, scales) mode="cubic" coordinate_transformation_mode="asymmetric" exclude_outside=1
  output y: float32[1,9,8,16]`,
  'linear Resize over one axis, its axes counted from the end': `
  input x: float32[1,5,6]
  constant sizes: int64[1] {13}
  y = Resize(x, _, _, sizes) mode="linear" axes=[-1] coordinate_transformation_mode="half_pixel"
  output y: float32[1,5,13]`,
  'reductions over channels, pixels, rows and everything': `
  input x: float32[1,5,4,6]
  constant channels: int64[1] {1}
  constant pixels: int64[2] {2, 3}
  constant last: int64[1] {-1}
  a = ReduceMean(x, channels) keepdims=1
  b = Mul(x, a)
  c = ReduceMax(b, pixels) keepdims=1
  d = Add(b, c)
  e = ReduceSum(d, last) keepdims=0
  f = ReduceMin(e, last) keepdims=1
  g = Sub(e, f)
  h = ReduceL2(g) keepdims=0
  y = Div(g, h)
  output y: float32[1,5,4]`,
  'largest and mean values of maps, poolings over one axis': `
  input x: float32[1,9,14]
  a = MaxPool(x) kernel_shape=[3] strides=[2] pads=[1, 0]
  b = AveragePool(a) kernel_shape=[2]
  c = GlobalMaxPool(b)
  d = GlobalAveragePool(a)
  e = Sub(b, c)
  y = Mul(e, d)
  output y: float32[1,9,6]`,
  'operands that both repeat, the larger and the smaller of several': `
  input x: float32[1,4,1,6]
  input z: float32[3,1]
  constant slope: float32[4,1,1] random(1)
  constant low: float32[6] random(2)
  a = Mul(x, z)
  b = PRelu(a, slope)
  c = Max(b, low, x)
  y = Min(c, a)
  output y: float32[1,4,3,6]`,
  'logarithms of probabilities': `
  input x: float32[1,7,20]
  constant ten: float32[] {10}
  a = Mul(x, ten)
  y = LogSoftmax(a) axis=-1
  output y: float32[1,7,20]`,
  'functions of an element': `
  input x: float32[1,3,5,6]
  constant three: float32[] {3}
  s = Mul(x, three)
  a = Sin(s)
  b = Cos(s)
  c = Erf(x)
  d = Softplus(s)
  e = Softsign(s)
  f = Mish(s)
  g = Elu(x) alpha=0.7
  h = Selu(x)
  i = Celu(x) alpha=0.6
  j = Floor(s)
  k = Ceil(s)
  l = Round(s)
  m = Abs(x)
  n = Neg(x)
  o = Reciprocal(m)
  y = Concat(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) axis=1
  output y: float32[1,45,5,6]`,
  'activations as operators': `
  input x: float32[1,3,5,6]
  constant low: float32[] {-0.4}
  constant high: float32[] {0.7}
  a = LeakyRelu(x) alpha=0.2
  b = HardSwish(a)
  c = Clip(b, low, high)
  d = Tanh(c)
  y = edgewise.Gelu(d) approximate="none"
  output y: float32[1,3,5,6]`,
};

it.each(Object.entries(FLOATS))('%s', async (_, body) => {
  const { actual, expected } = await runBoth(body);
  expectTensorClose(actual.data, expected.data, TOLERANCE);
  expect(actual.dims).toEqual(expected.dims);
});
