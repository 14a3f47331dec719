import { expectTensorClose } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../src/import/onnx/index.ts';
import type { DenseTensor, Model } from '../src/ir/index.ts';
import { runPasses, type Transform } from '../src/rewrite/index.ts';
import { expandEdgewise } from '../src/targets/index.ts';
import { compactConvNet, compactRecurrentNet } from '../src/transforms/index.ts';
import { engineOutputs, noiseFor, onnxOutputs, parseGraph } from './engine-graphs.ts';
import { quantizeOnNoise, withByteOutputs } from './quantize-on-noise.ts';

// Blocks of models for devices as exporters write them, through the recipes, on the engine and in onnxruntime.

/** Sums in another order and polynomials of our own, through a few layers. */
const TOLERANCE = { abs: 1e-5, rel: 1e-5 };

const VISION: Readonly<Record<string, string>> = {
  'MobileNetV3: an inverted residual with squeeze and excitation': `
  input x: float32[1,8,10,10]
  constant w1: float32[24,8,1,1] random(1)
  constant b1: float32[24] random(2)
  constant w2: float32[24,1,5,5] random(3)
  constant b2: float32[24] random(4)
  constant s1: float32[8,24,1,1] random(5)
  constant s2: float32[24,8,1,1] random(6)
  constant w3: float32[8,24,1,1] random(7)
  a = Conv(x, w1, b1)
  b = HardSwish(a)
  c = Conv(b, w2, b2) group=24 pads=[2, 2, 2, 2]
  d = HardSwish(c)
  e = GlobalAveragePool(d)
  f = Conv(e, s1)
  g = Relu(f)
  h = Conv(g, s2)
  i = HardSigmoid(h) alpha=0.16666667
  j = Mul(i, d)
  k = Conv(j, w3)
  y = Add(k, x)
  output y: float32[1,8,10,10]`,
  'EfficientNet: SiLU, squeeze by a mean': `
  input x: float32[1,12,9,7]
  constant w: float32[12,1,3,3] random(1)
  constant b: float32[12] random(2)
  constant s1: float32[3,12,1,1] random(3)
  constant s2: float32[12,3,1,1] random(4)
  constant axes: int64[2] {2, 3}
  a = Conv(x, w, b) group=12 pads=[1, 1, 1, 1] strides=[2, 2]
  s = Sigmoid(a)
  c = Mul(a, s)
  d = ReduceMean(c, axes) keepdims=1
  e = Conv(d, s1)
  f = Sigmoid(e)
  g = Mul(e, f)
  h = Conv(g, s2)
  i = Sigmoid(h)
  y = Mul(c, i)
  output y: float32[1,12,5,4]`,
  'ShuffleNet: pointwise groups, a shuffle of channels': `
  input x: float32[1,12,6,6]
  constant w1: float32[12,4,1,1] random(1)
  constant w2: float32[12,1,3,3] random(2)
  constant w3: float32[12,4,1,1] random(3)
  constant apart: int64[5] {1, 3, 4, 6, 6}
  constant together: int64[4] {1, 12, 6, 6}
  a = Conv(x, w1) group=3
  b = Relu(a)
  c = Reshape(b, apart)
  d = Transpose(c) perm=[0, 2, 1, 3, 4]
  e = Reshape(d, together)
  f = Conv(e, w2) group=12 pads=[1, 1, 1, 1] strides=[2, 2]
  g = Conv(f, w3) group=3
  h = AveragePool(x) kernel_shape=[3, 3] strides=[2, 2] pads=[1, 1, 1, 1]
  i = Concat(h, g) axis=1
  y = Relu(i)
  output y: float32[1,24,3,3]`,
  'ResNeXt: a bottleneck in 4 groups': `
  input x: float32[1,16,7,7]
  constant w1: float32[8,16,1,1] random(1)
  constant w2: float32[8,2,3,3] random(2)
  constant g: float32[8] random(3)
  constant o: float32[8] random(4)
  constant m: float32[8] random(5)
  constant v: float32[8] {0.5, 1, 1.5, 2, 2.5, 3, 0.25, 0.75}
  constant w3: float32[16,8,1,1] random(6)
  a = Conv(x, w1)
  b = Relu(a)
  c = Conv(b, w2) group=4 pads=[1, 1, 1, 1]
  d = BatchNormalization(c, g, o, m, v)
  e = Relu(d)
  f = Conv(e, w3)
  h = Add(f, x)
  y = Relu(h)
  output y: float32[1,16,7,7]`,
  'U-Net: up by a ConvTranspose, a skip, one output': `
  input x: float32[1,3,8,12]
  constant w1: float32[6,3,3,3] random(1)
  constant w2: float32[12,6,3,3] random(2)
  constant t: float32[12,6,2,2] random(3)
  constant tb: float32[6] random(4)
  constant g: float32[6] random(5)
  constant o: float32[6] random(6)
  constant m: float32[6] random(7)
  constant v: float32[6] {0.5, 1, 1.5, 2, 2.5, 3}
  constant w3: float32[6,12,3,3] random(8)
  constant w4: float32[1,6,1,1] random(9)
  constant t2: float32[1,2,4,4] random(10)
  a = Conv(x, w1) pads=[1, 1, 1, 1]
  b = Relu(a)
  c = MaxPool(b) kernel_shape=[2, 2] strides=[2, 2]
  d = Conv(c, w2) pads=[1, 1, 1, 1]
  e = Relu(d)
  f = ConvTranspose(e, t, tb) strides=[2, 2]
  h = BatchNormalization(f, g, o, m, v)
  i = Relu(h)
  j = Concat(i, b) axis=1
  k = Conv(j, w3) pads=[1, 1, 1, 1]
  l = LeakyRelu(k) alpha=0.1
  n = Conv(l, w4)
  p = ConvTranspose(n, t2) strides=[2, 2] pads=[1, 1, 1, 1]
  y = Sigmoid(p)
  output y: float32[1,2,16,24]`,
  'YOLOv8: a split block, pooled pyramid, a head with distributions': `
  input x: float32[1,8,4,6]
  constant w1: float32[8,8,1,1] random(1)
  constant w2: float32[4,4,3,3] random(2)
  constant w3: float32[8,12,1,1] random(3)
  constant w4: float32[8,32,1,1] random(4)
  constant w5: float32[18,8,1,1] random(5)
  constant wd: float32[1,4,1,1] {0, 1, 2, 3}
  constant halves: int64[2] {4, 4}
  constant flat: int64[3] {1, 18, 24}
  constant parts: int64[2] {16, 2}
  constant bins: int64[4] {1, 4, 4, 24}
  constant box: int64[3] {1, 4, 24}
  constant pair: int64[2] {2, 2}
  constant anchors: float32[1,2,24] random(6)
  constant two: float32[] {2}
  constant stride: float32[] {8}
  constant scales: float32[4] {1, 1, 2, 2}
  constant down: float32[8,8,3,3] random(7)
  a0 = Conv(x, w1)
  as = Sigmoid(a0)
  a = Mul(a0, as)
  b, c = Split(a, halves) axis=1
  d0 = Conv(c, w2) pads=[1, 1, 1, 1]
  ds = Sigmoid(d0)
  d = Mul(d0, ds)
  e = Add(c, d)
  f = Concat(b, c, e) axis=1
  g = Conv(f, w3)
  p1 = MaxPool(g) kernel_shape=[5, 5] pads=[2, 2, 2, 2]
  p2 = MaxPool(p1) kernel_shape=[5, 5] pads=[2, 2, 2, 2]
  p3 = MaxPool(p2) kernel_shape=[5, 5] pads=[2, 2, 2, 2]
  q = Concat(g, p1, p2, p3) axis=1
  r = Conv(q, w4)
  u = Resize(r, _, scales) mode="nearest" coordinate_transformation_mode="asymmetric" nearest_mode="floor"
  v = Conv(u, down) strides=[2, 2] pads=[1, 1, 1, 1]
  s = Conv(v, w5)
  t = Reshape(s, flat)
  boxes, classes = Split(t, parts) axis=1
  h1 = Reshape(boxes, bins)
  h2 = Transpose(h1) perm=[0, 2, 1, 3]
  h3 = Softmax(h2) axis=1
  h4 = Conv(h3, wd)
  h5 = Reshape(h4, box)
  lt, rb = Split(h5, pair) axis=1
  x1 = Sub(anchors, lt)
  x2 = Add(anchors, rb)
  sum = Add(x1, x2)
  centre = Div(sum, two)
  size = Sub(x2, x1)
  xywh = Concat(centre, size) axis=1
  scaled = Mul(xywh, stride)
  scores = Sigmoid(classes)
  y = Concat(scaled, scores) axis=1
  output y: float32[1,6,24]`,
  'YOLOv5: a head with anchors': `
  input x: float32[1,6,4,5]
  constant w: float32[21,6,1,1] random(1)
  constant b: float32[21] random(2)
  constant apart: int64[5] {1, 3, 7, 4, 5}
  constant parts: int64[3] {2, 2, 3}
  constant rows: int64[3] {1, 60, 7}
  constant grid: float32[1,3,4,5,2] random(3)
  constant anchors: float32[1,3,4,5,2] random(4)
  constant two: float32[] {2}
  constant stride: float32[] {8}
  a = Conv(x, w, b)
  c = Reshape(a, apart)
  d = Transpose(c) perm=[0, 1, 3, 4, 2]
  e = Sigmoid(d)
  f, g, h = Split(e, parts) axis=4
  i = Mul(f, two)
  j = Add(i, grid)
  k = Mul(j, stride)
  l = Mul(g, two)
  m = Pow(l, two)
  n = Mul(m, anchors)
  o = Concat(k, n, h) axis=4
  y = Reshape(o, rows)
  output y: float32[1,60,7]`,
  'MobileViT: patches unfolded, attention, folded again': `
  input x: float32[1,6,4,4]
  constant w: float32[8,6,1,1] random(1)
  constant g: float32[8] random(2)
  constant o: float32[8] random(3)
  constant qkv: float32[8,24] random(4)
  constant bq: float32[24] random(5)
  constant proj: float32[8,8] random(6)
  constant out: float32[6,8,1,1] random(7)
  constant unfold: int64[4] {16, 2, 2, 2}
  constant patches: int64[4] {1, 8, 4, 4}
  constant heads: int64[5] {4, 4, 3, 2, 4}
  constant joined: int64[3] {4, 4, 8}
  constant fold1: int64[4] {4, 4, 1, 8}
  constant fold2: int64[4] {16, 2, 2, 2}
  constant back: int64[4] {1, 8, 4, 4}
  constant scale: float32[] {0.5}
  constant zero: int64[] {0}
  constant one: int64[] {1}
  constant two: int64[] {2}
  a = Conv(x, w)
  b = Reshape(a, unfold)
  c = Transpose(b) perm=[0, 2, 1, 3]
  d = Reshape(c, patches)
  e = Transpose(d) perm=[0, 3, 2, 1]
  f = Reshape(e, joined)
  n = LayerNormalization(f, g, o) axis=-1
  h0 = MatMul(n, qkv)
  h = Add(bq, h0)
  i = Reshape(h, heads)
  j = Transpose(i) perm=[2, 0, 3, 1, 4]
  q = Gather(j, zero) axis=0
  k = Gather(j, one) axis=0
  v = Gather(j, two) axis=0
  kt = Transpose(k) perm=[0, 1, 3, 2]
  s = MatMul(q, kt)
  t = Mul(s, scale)
  u = Softmax(t) axis=-1
  r = MatMul(u, v)
  m = Transpose(r) perm=[0, 2, 1, 3]
  p = Reshape(m, joined)
  pr = MatMul(p, proj)
  z = Add(f, pr)
  z1 = Reshape(z, fold1)
  z2 = Transpose(z1) perm=[2, 3, 1, 0]
  z3 = Reshape(z2, fold2)
  z4 = Transpose(z3) perm=[0, 2, 1, 3]
  z5 = Reshape(z4, back)
  z6 = Conv(z5, out)
  y = Add(x, z6)
  output y: float32[1,6,4,4]`,
  'YOLO11: attention over positions with two heads': `
  input x: float32[1,8,3,5]
  constant w: float32[16,8,1,1] random(1)
  constant p: float32[8,1,3,3] random(2)
  constant o: float32[8,8,1,1] random(3)
  constant heads: int64[4] {1, 2, 8, 15}
  constant parts: int64[3] {2, 2, 4}
  constant map: int64[4] {1, 8, 3, 5}
  constant scale: float32[] {0.7}
  a = Conv(x, w)
  b = Reshape(a, heads)
  q, k, v = Split(b, parts) axis=2
  qt = Transpose(q) perm=[0, 1, 3, 2]
  s = MatMul(qt, k)
  t = Mul(s, scale)
  u = Softmax(t) axis=-1
  ut = Transpose(u) perm=[0, 1, 3, 2]
  r = MatMul(v, ut)
  m = Reshape(r, map)
  vm = Reshape(v, map)
  pe = Conv(vm, p) group=8 pads=[1, 1, 1, 1]
  n = Add(m, pe)
  z = Conv(n, o)
  y = Add(x, z)
  output y: float32[1,8,3,5]`,
  'ConvNeXt: normalization and matrices behind a depthwise convolution': `
  input x: float32[1,8,6,5]
  constant w: float32[8,1,7,7] random(1)
  constant b: float32[8] random(2)
  constant g: float32[8] random(3)
  constant o: float32[8] random(4)
  constant m1: float32[8,32] random(5)
  constant b1: float32[32] random(6)
  constant m2: float32[32,8] random(7)
  constant b2: float32[8] random(8)
  constant gamma: float32[8,1,1] random(9)
  constant root: float32[] {1.4142135}
  constant one: float32[] {1}
  constant half: float32[] {0.5}
  a = Conv(x, w, b) group=8 pads=[3, 3, 3, 3]
  t = Transpose(a) perm=[0, 2, 3, 1]
  n = LayerNormalization(t, g, o) axis=-1 epsilon=1e-6
  c0 = MatMul(n, m1)
  c = Add(b1, c0)
  d = Div(c, root)
  e = Erf(d)
  f = Add(e, one)
  h = Mul(c, f)
  i = Mul(h, half)
  j0 = MatMul(i, m2)
  j = Add(b2, j0)
  k = Transpose(j) perm=[0, 3, 1, 2]
  l = Mul(gamma, k)
  y = Add(l, x)
  output y: float32[1,8,6,5]`,
  'MODNet: instance normalization of a part, the rest in batches': `
  input x: float32[1,6,5,7]
  constant s: float32[6] random(1)
  constant o: float32[6] random(2)
  constant w: float32[4,6,3,3] random(3)
  a = InstanceNormalization(x, s, o) epsilon=1e-5
  b = Relu(a)
  c = Conv(b, w) pads=[1, 1, 1, 1]
  y = Sigmoid(c)
  output y: float32[1,4,5,7]`,
  'a batch: patches of a picture, each through the same layers': `
  input x: float32[3,6,7,9]
  constant w1: float32[8,6,3,3] random(1)
  constant w2: float32[8,1,3,3] random(2)
  constant w3: float32[12,4,1,3] random(3)
  constant w4: float32[12,12,1,1] random(4)
  constant b4: float32[12] random(5)
  a = Conv(x, w1) pads=[1, 1, 1, 1]
  b = Relu(a)
  c = MaxPool(b) kernel_shape=[2, 2] strides=[2, 2]
  d = Conv(c, w2) group=8 pads=[1, 1, 1, 1]
  e = HardSwish(d)
  f = Conv(e, w3) group=2 pads=[0, 1, 0, 1]
  g = AveragePool(f) kernel_shape=[2, 2]
  h = Conv(g, w4, b4)
  i = GlobalAveragePool(h)
  y = Mul(h, i)
  output y: float32[3,12,2,3]`,
  'DeepLab: the class of each pixel': `
  input x: float32[1,6,5,7]
  constant w: float32[9,6,3,3] random(1)
  constant b: float32[9] random(2)
  constant sizes: int64[4] {1, 9, 10, 14}
  a = Conv(x, w, b) pads=[1, 1, 1, 1]
  c = Resize(a, _, _, sizes) mode="linear" coordinate_transformation_mode="half_pixel"
  y = ArgMax(c) axis=1 keepdims=0
  output y: int64[1,10,14]`,
  'a classifier that names its best classes': `
  input x: float32[1,6,5,7]
  constant w: float32[12,6,3,3] random(1)
  constant m: float32[12,30] random(2)
  constant b: float32[30] random(3)
  constant k: int64[1] {5}
  a = Conv(x, w)
  c = Relu(a)
  d = GlobalAveragePool(c)
  e = Flatten(d)
  f = Gemm(e, m, b)
  y, places = TopK(f, k)
  output y: float32[1,5]
  output places: int64[1,5]`,
  'a detector that suppresses its boxes': `
  input x: float32[1,6,5,7]
  constant w: float32[7,6,3,3] random(1)
  constant b: float32[7] random(2)
  constant flat: int64[3] {1, 7, 35}
  constant sizes: int64[2] {4, 3}
  constant most: int64[1] {4}
  constant iou: float32[1] {0.4}
  constant score: float32[1] {0.3}
  constant pair: int64[2] {0, 2}
  a = Conv(x, w, b) pads=[1, 1, 1, 1]
  c = Reshape(a, flat)
  d, e = Split(c, sizes) axis=1
  boxes = Transpose(d) perm=[0, 2, 1]
  scores = Sigmoid(e)
  y = NonMaxSuppression(boxes, scores, most, iou, score) center_point_box=1
  where = Gather(y, pair) axis=1
  kept = GatherND(boxes, where)
  output y: int64[n,3]
  output kept: float32[n,4]`,
};

const VOICE: Readonly<Record<string, string>> = {
  'a denoiser: GRU over frequencies and over time, transposed convolutions, a slope for each channel': `
  input x: float32[1,2,1,16]
  input state: float32[1,8,6]
  constant w1: float32[6,2,1,5] random(1)
  constant slope: float32[6,1,1] random(2)
  constant wf: float32[2,9,6] random(3)
  constant rf: float32[2,9,3] random(4)
  constant bf: float32[2,18] random(5)
  constant wt: float32[1,18,6] random(6)
  constant rt: float32[1,18,6] random(7)
  constant bt: float32[1,36] random(8)
  constant t: float32[6,2,1,5] random(9)
  constant none: int64[1] {0}
  constant third: int64[1] {2}
  constant rows: int64[3] {8, 1, 6}
  constant batch: int64[3] {1, 8, 6}
  constant back: int64[4] {1, 8, 1, 6}
  a0 = Conv(x, w1) strides=[1, 2] pads=[0, 2, 0, 2]
  a = PRelu(a0, slope)
  b = Transpose(a) perm=[3, 0, 2, 1]
  c = Reshape(b, rows)
  d, _ = GRU(c, wf, rf, bf) hidden_size=3 direction="bidirectional" linear_before_reset=1
  e = Transpose(d) perm=[2, 0, 1, 3]
  f = Reshape(e, batch)
  g, next = GRU(f, wt, rt, bt, _, state) hidden_size=6 linear_before_reset=1
  h = Reshape(g, back)
  i = Transpose(h) perm=[0, 3, 2, 1]
  j = Add(i, a)
  k = ConvTranspose(j, t) strides=[1, 2] pads=[0, 2, 0, 2] output_padding=[0, 1]
  y = Tanh(k)
  output y: float32[1,2,1,16]
  output next: float32[1,8,6]`,
  'DeepFilterNet: a matrix for each group of features, a GRU': `
  input x: float32[1,3,8]
  constant w: float32[2,4,6] random(1)
  constant b: float32[12] random(2)
  constant wi: float32[1,15,12] random(3)
  constant ri: float32[1,15,5] random(4)
  constant bi: float32[1,30] random(5)
  constant apart: int64[4] {1, 3, 2, 4}
  constant together: int64[3] {1, 3, 12}
  constant none: int64[1] {1}
  a = Reshape(x, apart)
  c = Einsum(a, w) equation="btgi,gih->btgh"
  d = Reshape(c, together)
  e = Add(d, b)
  f = Relu(e)
  g = Transpose(f) perm=[1, 0, 2]
  h, _ = GRU(g, wi, ri, bi) hidden_size=5 linear_before_reset=1
  i = Squeeze(h, none)
  y = Transpose(i) perm=[1, 0, 2]
  output y: float32[1,3,5]`,
  'a vocoder: ConvTranspose over one axis, dilated convolutions': `
  input x: float32[1,8,11]
  constant t: float32[8,4,8] random(1)
  constant b: float32[4] random(2)
  constant w: float32[4,4,3] random(3)
  constant o: float32[1,4,7] random(4)
  a = LeakyRelu(x) alpha=0.1
  c = ConvTranspose(a, t, b) strides=[4] pads=[2, 2]
  d = LeakyRelu(c) alpha=0.1
  e = Conv(d, w) dilations=[3] pads=[3, 3]
  f = Add(e, c)
  g = LeakyRelu(f)
  h = Conv(g, o) pads=[3, 3]
  y = Tanh(h)
  output y: float32[1,1,44]`,
};

describe('vision', () => {
  it.each(Object.entries(VISION))('%s', (_, body) => expectSame(body, compactConvNet()));
});

describe('vision in int8: every byte is what onnxruntime computes', () => {
  it.each(Object.entries(VISION))('%s', async (_, body) => {
    const { model, image } = await quantizeOnNoise(parseGraph(body));
    const watched = withByteOutputs(model);
    const added = watched.graph.outputs.slice(model.graph.outputs.length).map(({ name }) => name);
    expect(added.length).toBeGreaterThan(0);
    await expectOutputs(watched, image, writeOnnx(expandEdgewise(watched)).bytes, new Set(added));
  });
});

describe('voice', () => {
  it.each(Object.entries(VOICE))('%s', (_, body) => expectSame(body, compactRecurrentNet()));
});

async function expectSame(body: string, recipe: readonly Transform[]): Promise<void> {
  const original = parseGraph(body);
  const { model, diagnostics } = await runPasses(original, recipe);
  expect(diagnostics).toEqual([]);
  await expectOutputs(model, noiseFor(original), writeOnnx(original).bytes);
}

/** What onnxruntime makes of a file; some outputs to the bit. */
async function expectOutputs(
  model: Model,
  feeds: ReadonlyMap<string, DenseTensor>,
  onnx: Uint8Array,
  exact: ReadonlySet<string> = new Set(),
): Promise<void> {
  const expected = await onnxOutputs(onnx, feeds);
  const actual = await engineOutputs(model, feeds);
  for (const [name, { dims, data }] of expected) {
    const result = actual.get(name)!;
    expect(result.dims).toEqual(dims);
    expect(data.length).toBeGreaterThan(0);
    const scale = Math.max(...data.map(Math.abs));
    const tolerance = exact.has(name) ? {} : { abs: TOLERANCE.abs * Math.max(1, scale), rel: TOLERANCE.rel };
    expectTensorClose(result.data, data, { ...tolerance, label: name });
  }
}
