import { createSession } from '@edgewise/runtime/node';
import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import type { CompilerError } from '../src/diagnostics/index.ts';
import { writeOnnx } from '../src/import/onnx/index.ts';
import { denseTensor, parseModel, typedData, type DenseTensor, type Model } from '../src/ir/index.ts';
import { buildPackage, compileEdge, expandEdgewise } from '../src/targets/index.ts';
import { runOnnx } from './onnxruntime.ts';

// Small graphs around one operator each, on the engine and in onnxruntime.

/** Where arithmetic is float32 in another order or with another polynomial. */
const TOLERANCE = { abs: 2e-6, rel: 2e-6 };

/** Only elements are moved: the outputs are the same. */
const MOVES: Readonly<Record<string, string>> = {
  'a strided Slice and a Pad of channels': `
  input x: float32[1,5,9,7]
  constant starts: int64[2] {0, 1}
  constant ends: int64[2] {9223372036854775807, 6}
  constant axes: int64[2] {2, 3}
  constant steps: int64[2] {2, 2}
  constant pads: int64[8] {0, 3, 0, 0, 0, 2, 0, 0}
  a = Relu(x)
  b = Slice(a, starts, ends, axes, steps)
  y = Pad(b, pads)
  output y: float32[1,10,5,3]`,
  'a Pad around a map, then a Relu': `
  input x: float32[1,3,4,5]
  constant pads: int64[4] {1, 2, 0, 3}
  constant axes: int64[2] {2, 3}
  constant fill: float32[] {-1.5}
  a = Relu(x)
  b = Pad(a, pads, fill, axes)
  y = Relu(b)
  output y: float32[1,3,5,10]`,
  'Split, and Concat over height and width': `
  input x: float32[1,6,4,5]
  constant sizes: int64[2] {4, 2}
  constant halves: int64[2] {2, 2}
  a = Relu(x)
  b, c = Split(a, sizes) axis=1
  d, e = Split(b, halves) axis=1
  f = Concat(d, e, c) axis=2
  g = Concat(f, f) axis=-1
  y = Relu(g)
  output y: float32[1,2,12,10]`,
  'a nearest Resize into a Concat of channels': `
  input x: float32[1,9,3,4]
  input z: float32[1,3,6,12]
  constant scales: float32[4] {1, 1, 2, 3}
  a = Relu(x)
  b = Resize(a, _, scales) mode="nearest" coordinate_transformation_mode="asymmetric" nearest_mode="floor"
  y = Concat(b, z) axis=1
  output y: float32[1,12,6,12]`,
  'DepthToSpace both ways, and SpaceToDepth': `
  input x: float32[1,12,3,5]
  a = Relu(x)
  b = DepthToSpace(a) blocksize=2 mode="DCR"
  c = DepthToSpace(a) blocksize=2 mode="CRD"
  d = Concat(b, c) axis=1
  y = SpaceToDepth(d) blocksize=2
  output y: float32[1,24,3,5]`,
  'a shuffle of channels': `
  input x: float32[1,10,3,5]
  constant groups: int64[3] {5, 2, 15}
  constant apart: int64[5] {2, -1, 5, 3, 5}
  constant first: int64[] {0}
  constant second: int64[] {1}
  a = Relu(x)
  b = Reshape(a, groups)
  c = Transpose(b) perm=[1, 0, 2]
  d = Reshape(c, apart)
  e = Gather(d, second) axis=0
  f = Gather(d, first) axis=0
  y = Concat(e, f) axis=1
  output y: float32[1,10,3,5]`,
  'a nearest Resize by other factors': `
  input x: float32[1,3,5,7]
  constant sizes: int64[4] {1, 3, 8, 4}
  a = Relu(x)
  b = Resize(a, _, _, sizes) mode="nearest" coordinate_transformation_mode="half_pixel" nearest_mode="round_prefer_floor"
  y = Relu(b)
  output y: float32[1,3,8,4]`,
  'a Gather of channels in some order': `
  input x: float32[1,5,6,7]
  constant order: int64[4] {3, 0, 4, 3}
  a = Gather(x, order) axis=1
  y = Relu(a)
  output y: float32[1,4,6,7]`,
  'an order that only a second copy can give': `
  input x: float32[1,6,2,5]
  constant rows: int64[3] {1, 4, 15}
  constant back: int64[4] {1, 3, 4, 5}
  a = Relu(x)
  b = Transpose(a) perm=[0, 2, 3, 1]
  c = Reshape(b, rows)
  d = Transpose(c) perm=[0, 2, 1]
  y = Reshape(d, back)
  output y: float32[1,3,4,5]`,
};

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

const GRID = `
  input x: float32[1,10,6,5]
  constant s: float32[] {0.02}
  constant z: uint8[] {120}
  constant s2: float32[] {0.031}
  constant z2: uint8[] {90}
  q = QuantizeLinear(x, s, z)`;

/** Of bytes: the outputs are the same. */
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

describe('moves elements', () => {
  it.each(Object.entries(MOVES))('%s', async (_, body) => {
    const { actual, expected } = await runBoth(body);
    expect(actual).toEqual(expected);
  });
});

describe('computes floats', () => {
  it.each(Object.entries(FLOATS))('%s', async (_, body) => {
    const { actual, expected } = await runBoth(body);
    expectTensorClose(actual.data, expected.data, TOLERANCE);
    expect(actual.dims).toEqual(expected.dims);
  });
});

describe('computes on bytes', () => {
  it.each(Object.entries(BYTES))('%s', async (_, body) => {
    const { actual, expected } = await runBoth(body);
    expect(actual).toEqual(expected);
  });
});

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

describe('refuses', () => {
  it.each(Object.entries(REFUSED))('%s', (_, [body, message]) => {
    let error: unknown;
    try {
      compileEdge(parse(body));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'unsupported', message });
    const [diagnostic = error] = (error as CompilerError).diagnostics;
    expect((diagnostic as { hint?: string }).hint).toContain('onnx target');
  });
});

interface Output {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The only output, y, of both; the engine's is the same on both rungs and with several threads. */
async function runBoth(body: string): Promise<{ actual: Output; expected: Output }> {
  const model = parse(body);
  const random = seededRandom(3);
  const feeds = new Map(
    model.graph.inputs.map(({ name, type }) => {
      const shape = type?.kind === 'tensor' ? (type.shape as number[]) : [];
      const count = shape.reduce((product, dim) => product * dim, 1);
      return [name, denseTensor('float32', shape, random.normal(count))];
    }),
  );
  const options = { graphOptimizationLevel: 'all' } as const;
  const outcome = await runOnnx(writeOnnx(expandEdgewise(model)).bytes, feeds, options);
  if ('failure' in outcome) throw new Error(outcome.failure);
  const { dims, data } = outcome.outputs['y']!;
  const expected = { dims, data: data as Float32Array };
  // Constants would agree with much.
  expect(new Set(expected.data).size).toBeGreaterThan(Math.min(20, expected.data.length / 2));
  return { actual: await runEngine(model, feeds), expected };
}

/** Nodes are named after their outputs. */
function parse(body: string): Model {
  const model = parseModel(
    `ir 8\nopset ai.onnx 18\nopset com.microsoft 1\nopset edgewise 1\n\ngraph main {${body}\n}`,
  );
  model.graph.nodes = model.graph.nodes.map((node) => ({ ...node, name: node.outputs[0]! }));
  return model;
}

async function runEngine(
  model: Model,
  feeds: ReadonlyMap<string, DenseTensor & { readonly dtype: 'float32' }>,
): Promise<Output> {
  const { model: edge, files } = compileEdge(model);
  const packaged = await buildPackage({ description: { name: 'test', task: 'test' }, model: edge, files });
  const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, typedData(tensor)]));
  const outputs: Output[] = [];
  for (const options of [
    { rung: 'simd', threads: 1 },
    { rung: 'relaxed', threads: 3 },
  ] as const) {
    const session = await createSession(packaged, options);
    const { y } = await session.run(inputs);
    outputs.push({ dims: y!.shape, data: y!.data as Float32Array });
    session.dispose();
  }
  expect(outputs[1]).toEqual(outputs[0]);
  return outputs[0]!;
}
