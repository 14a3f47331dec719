import { expectTensorClose, itWithAssets, sharedAsset } from '@edgewise/test-utils';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect } from 'vitest';
import { preprocess } from '../../runtime/src/image/preprocess.ts';
import { readOnnx, writeOnnx } from '../src/import/onnx/index.ts';
import { float32Tensor, type DenseTensor, type Model } from '../src/ir/index.ts';
import { runPasses } from '../src/rewrite/index.ts';
import { compactConvNet } from '../src/transforms/index.ts';
import { engineOutputs, onnxOutputs, parseGraph } from './engine-graphs.ts';

// YOLOX with its boxes decoded and suppressed in the graph, on a photograph.

const SIZE = 416;
const STRIDES = [8, 16, 32];
const ANCHORS = STRIDES.reduce((sum, stride) => sum + (SIZE / stride) ** 2, 0);
const CLASSES = 80;

/** The network's coordinates through an exponential of its own; pixels and scores. */
const TOLERANCE = { abs: 2e-3, rel: 1e-4 };

/** Decoding, then suppression of each class on the scores of all; a row of class, score and corners for each box. */
const TAIL = `
  input head: float32[1,${ANCHORS},${5 + CLASSES}]
  input cells: float32[1,${ANCHORS},2]
  input strides: float32[1,${ANCHORS},1]
  constant zero: int64[1] {0}
  constant two: int64[1] {2}
  constant four: int64[1] {4}
  constant five: int64[1] {5}
  constant end: int64[1] {${5 + CLASSES}}
  constant axis: int64[1] {2}
  constant half: float32[] {0.5}
  constant most: int64[1] {20}
  constant iou: float32[1] {0.45}
  constant score: float32[1] {0.25}
  constant classColumn: int64[1] {1}
  constant boxColumns: int64[2] {0, 2}
  xy = Slice(head, zero, two, axis)
  wh = Slice(head, two, four, axis)
  conf = Slice(head, four, five, axis)
  classes = Slice(head, five, end, axis)
  placed = Add(xy, cells)
  centre = Mul(placed, strides)
  grown = Exp(wh)
  size = Mul(grown, strides)
  halves = Mul(size, half)
  low = Sub(centre, halves)
  high = Add(centre, halves)
  boxes = Concat(low, high) axis=2
  probabilities = Mul(conf, classes)
  scores = Transpose(probabilities) perm=[0, 2, 1]
  selected = NonMaxSuppression(boxes, scores, most, iou, score)
  class = Gather(selected, classColumn) axis=1
  where = Gather(selected, boxColumns) axis=1
  kept = GatherND(boxes, where)
  keptScore = GatherND(scores, selected)
  apart = Unsqueeze(keptScore) axes=[1]
  number = Cast(class) to=1
  rows = Concat(number, apart, kept) axis=1
  output selected: int64[n,3]
  output rows: float32[n,6]`;

itWithAssets(
  'finds the boxes that onnxruntime finds',
  'models/detection/yolox_nano.onnx',
  async () => {
    const original = withTail(readOnnx(readFileSync(sharedAsset('models/detection/yolox_nano.onnx'))));
    const feeds = await photograph(original.graph.inputs[0]!.name);
    const expected = await onnxOutputs(writeOnnx(original).bytes, feeds);
    const { model } = await runPasses(original, compactConvNet());
    const actual = await engineOutputs(model, feeds);
    expect(expected.get('selected')!.dims[0]).toBeGreaterThan(3);
    expect(actual.get('selected')).toEqual(expected.get('selected'));
    expect(actual.get('rows')!.dims).toEqual(expected.get('rows')!.dims);
    expectTensorClose(actual.get('rows')!.data, expected.get('rows')!.data, TOLERANCE);
  },
  120_000,
);

function withTail(model: Model): Model {
  const { graph } = model;
  const tail = parseGraph(TAIL).graph;
  const head = graph.outputs[0]!.name;
  graph.nodes.push(
    ...tail.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === 'head' ? head : name)),
    })),
  );
  for (const [name, tensor] of tail.initializers) graph.initializers.set(name, tensor);
  const cells = STRIDES.flatMap((stride) =>
    Array.from({ length: (SIZE / stride) ** 2 }, (_, at) => ({
      place: [at % (SIZE / stride), Math.floor(at / (SIZE / stride))],
      stride,
    })),
  );
  const places = Float32Array.from(cells.flatMap(({ place }) => place));
  const strides = Float32Array.from(cells, ({ stride }) => stride);
  graph.initializers.set('cells', float32Tensor([1, ANCHORS, 2], places));
  graph.initializers.set('strides', float32Tensor([1, ANCHORS, 1], strides));
  graph.outputs = tail.outputs;
  return model;
}

async function photograph(input: string): Promise<Map<string, DenseTensor>> {
  const file = sharedAsset('datasets/coco128-val2017/images/000000000139.jpg');
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const { input: prepared } = preprocess(
    { ...info, data, channels: 3 },
    {
      width: SIZE,
      height: SIZE,
      fit: { mode: 'letterbox', align: 'top-left', padding: 114, rounding: 'floor' },
      channels: 'BGR',
      layout: 'NCHW',
      dtype: 'float32',
      resample: 'bilinear',
    },
  );
  return new Map([[input, float32Tensor(prepared.shape, prepared.data as Float32Array)]]);
}
