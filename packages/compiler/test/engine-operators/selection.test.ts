import { expect, it } from 'vitest';
import { writeOnnx } from '../../src/import/onnx/index.ts';
import { denseTensor, typedData } from '../../src/ir/index.ts';
import { evaluateModel, tensorNumbers } from '../../src/ops/index.ts';
import { engineOutputs, noiseFor, onnxOutputs, parseGraph } from '../engine-graphs.ts';

// Graphs that choose among values: the outputs are the same as onnxruntime's, and as the reference evaluator's. Values are rounded to quarters, so
// that many are equal.

const SUPPRESSION = `
  input boxes: float32[1,40,4]
  input scores: float32[1,3,40]
  constant most: int64[1] {6}
  constant iou: float32[1] {0.2}
  constant score: float32[1] {0.3}
  s = NonMaxSuppression(boxes, scores, most, iou, score)`;

const GRAPHS: Readonly<Record<string, string>> = {
  'segmentation: the class of each pixel, as int64, uint8 and float': `
  input x: float32[1,21,9,7]
  constant scales: float32[4] {1, 1, 2, 2}
  constant axis: int64[1] {1}
  a = Resize(x, _, scales) mode="nearest" coordinate_transformation_mode="asymmetric" nearest_mode="floor"
  m = ArgMax(a) axis=1 keepdims=0
  n = ArgMax(x) axis=1
  b = Cast(m) to=2
  c = Cast(n) to=1
  d = Squeeze(c, axis)
  e = Relu(d)
  output m: int64[1,18,14]
  output b: uint8[1,18,14]
  output e: float32[1,9,7]`,
  'the largest and the smallest over every axis, the first and the last of equals': `
  input x: float32[2,5,6,7]
  a = ArgMax(x) axis=0 keepdims=0
  b = ArgMin(x) axis=-1 select_last_index=1
  c = ArgMax(x) axis=2 select_last_index=1 keepdims=0
  d = ArgMin(x) axis=1
  e = Transpose(c) perm=[2, 0, 1]
  output a: int64[5,6,7]
  output b: int64[2,5,6,1]
  output d: int64[2,1,6,7]
  output e: int64[7,2,5]`,
  'a classifier with its five best classes': `
  input x: float32[1,1000]
  constant k: int64[1] {5}
  v, i = TopK(x, k)
  output v: float32[1,5]
  output i: int64[1,5]`,
  'TopK along other axes, of the smallest, with its outputs in use': `
  input x: float32[1,8,5,6]
  constant three: int64[1] {3}
  constant all: int64[1] {5}
  v, i = TopK(x, three) axis=1
  w, _w = TopK(x, all) axis=2 largest=0
  _j, j = TopK(x, three) axis=3 largest=0
  a = Relu(v)
  b = Neg(w)
  c = Cast(j) to=1
  d = Concat(i, i) axis=1
  output a: float32[1,3,5,6]
  output b: float32[1,8,5,6]
  output c: float32[1,8,5,3]
  output d: int64[1,6,5,6]`,
  'boxes of the best scores': `
  input boxes: float32[1,40,4]
  input scores: float32[40]
  constant k: int64[1] {7}
  constant flat: int64[2] {40, 4}
  v, i = TopK(scores, k)
  a = Gather(boxes, i) axis=1
  b = Reshape(boxes, flat)
  c = Gather(b, i)
  d = Gather(scores, i)
  output v: float32[7]
  output a: float32[1,7,4]
  output c: float32[7,4]
  output d: float32[7]`,
  'the best boxes of the best classes, as YOLOv10 exports end': `
  input x: float32[1,9,40]
  constant sizes: int64[2] {4, 5}
  constant last: int64[1] {-1}
  constant axis: int64[1] {1}
  constant k: int64[1] {12}
  constant four: int64[3] {1, 1, 4}
  constant classes: int64[3] {1, 1, 5}
  constant flat: int64[2] {1, 60}
  constant five: int64[] {5}
  constant images: int64[1,12,1] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
  a = Transpose(x) perm=[0, 2, 1]
  boxes, scores = Split(a, sizes) axis=-1
  best = ReduceMax(scores, last) keepdims=0
  best_, anchor = TopK(best, k) axis=-1
  anchors = Unsqueeze(anchor, last)
  forBoxes = Tile(anchors, four)
  forScores = Tile(anchors, classes)
  b = GatherElements(boxes, forBoxes) axis=1
  s = GatherElements(scores, forScores) axis=1
  f = Reshape(s, flat)
  v, i = TopK(f, k) axis=-1
  row = Div(i, five)
  class = Mod(i, five)
  rows = Unsqueeze(row, last)
  where = Concat(images, rows) axis=-1
  c = GatherND(b, where)
  vs = Unsqueeze(v, last)
  cs = Unsqueeze(class, last)
  cf = Cast(cs) to=1
  y = Concat(c, vs, cf) axis=-1
  output y: float32[1,12,6]`,
  'elements along every axis': `
  input x: float32[3,5,4]
  constant k: int64[1] {2}
  a, i = TopK(x, k) axis=0
  b, j = TopK(x, k) axis=1 largest=0
  _c, l = TopK(x, k) axis=2
  p = GatherElements(x, i) axis=0
  q = GatherElements(x, j) axis=1
  r = GatherElements(x, l) axis=-1
  output p: float32[2,5,4]
  output q: float32[3,2,4]
  output r: float32[3,5,2]`,
  NonMaxSuppression: `${SUPPRESSION}
  output s: int64[n,3]`,
  'NonMaxSuppression of centres and sizes, without thresholds, in a batch': `
  input boxes: float32[2,30,4]
  input scores: float32[2,2,30]
  constant most: int64[1] {9223372036854775807}
  s = NonMaxSuppression(boxes, scores, most) center_point_box=1
  output s: int64[n,3]`,
  'NonMaxSuppression that keeps nothing': `
  input boxes: float32[1,40,4]
  input scores: float32[1,3,40]
  constant most: int64[1] {6}
  constant iou: float32[1] {0.2}
  constant score: float32[1] {30}
  s = NonMaxSuppression(boxes, scores, most, iou, score)
  f = Cast(s) to=1
  output s: int64[n,3]
  output f: float32[n,3]`,
  'boxes and scores of what NonMaxSuppression keeps, as torchvision gathers them': `${SUPPRESSION}
  constant flat: int64[2] {40, 4}
  constant two: int64[1] {2}
  constant three: int64[1] {3}
  constant one: int64[1] {1}
  constant column: int64[] {1}
  a = Slice(s, two, three, one)
  kept = Squeeze(a, one)
  b = Reshape(boxes, flat)
  c = Gather(b, kept) axis=0
  class = Gather(s, column) axis=1
  output c: float32[n,4]
  output class: int64[n]`,
  'rows of image, box, class and score, as YOLOv7 exports end': `
  input x: float32[1,30,8]
  constant zero: int64[1] {0}
  constant four: int64[1] {4}
  constant five: int64[1] {5}
  constant end: int64[1] {8}
  constant axis: int64[1] {2}
  constant one: int64[1] {1}
  constant apart: float32[] {640}
  constant most: int64[] {8}
  constant iou: float32[] {0.3}
  constant score: float32[] {0.1}
  constant pair: int64[2] {0, 2}
  constant first: int64[1] {0}
  xywh = Slice(x, zero, four, axis)
  conf = Slice(x, four, five, axis)
  classes = Slice(x, five, end, axis)
  sc = Mul(classes, conf)
  best = ReduceMax(sc, axis) keepdims=1
  category = ArgMax(sc) axis=2 keepdims=1
  cf = Cast(category) to=1
  offset = Mul(cf, apart)
  moved = Add(xywh, offset)
  turned = Transpose(best) perm=[0, 2, 1]
  s = NonMaxSuppression(moved, turned, most, iou, score)
  xy = Gather(s, pair) axis=1
  kept = GatherND(xywh, xy)
  keptClass = GatherND(category, xy)
  keptScore = GatherND(best, xy)
  image = Gather(s, first) axis=1
  imageF = Cast(image) to=1
  classF = Cast(keptClass) to=1
  y = Concat(imageF, kept, classF, keptScore) axis=1
  output y: float32[n,7]`,
};

it.each(Object.entries(GRAPHS))('%s', async (_, body) => {
  const model = parseGraph(body);
  const feeds = new Map(
    [...noiseFor(model)].map(([name, tensor]) => {
      const quarters = (typedData(tensor) as Float32Array).map((value) => Math.round(4 * value) / 4 + 0); // no −0
      return [name, denseTensor('float32', tensor.dims, quarters)];
    }),
  );
  const expected = await onnxOutputs(writeOnnx(model).bytes, feeds);
  const actual = await engineOutputs(model, feeds);
  const evaluated = evaluateModel(model, feeds);
  for (const [name, output] of expected) {
    expect({ name, ...actual.get(name) }).toEqual({ name, ...output });
    const { dims } = evaluated.get(name)!;
    expect({ name, dims, data: Array.from(tensorNumbers(evaluated.get(name)!)) }).toEqual({
      name,
      dims,
      data: [...output.data],
    });
  }
});
