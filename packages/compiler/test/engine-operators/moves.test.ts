import { expect, it } from 'vitest';
import { runBoth } from './run-both.ts';

// Graphs in which elements are only moved: the outputs are the same as onnxruntime's.

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

it.each(Object.entries(MOVES))('%s', async (_, body) => {
  const { actual, expected } = await runBoth(body);
  expect(actual).toEqual(expected);
});
