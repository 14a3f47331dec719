import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { parseModel, type Node } from '../../ir/index.ts';
import { PatchMoments } from './patch-moments.ts';

function layer(operator: string): Node {
  const text = `ir 8
opset ai.onnx 18
opset edgewise 1

graph main {
  input x: float32[1,4,4,4]
  input w: float32[1]
  y = ${operator} activation="none"
  output y: float32[1]
}`;
  return parseModel(text).graph.nodes[0]!;
}

/** Mean of x·xᵀ over the patches of a [C, height, width] image that the channels first … first + count - 1 read, from the definition. */
function naive(
  image: Float32Array,
  { height, width, first, count, size, stride, pad }: Readonly<Record<string, number>>,
): Float32Array {
  const patches: number[][] = [];
  for (let y = -pad!; y + size! <= height! + pad!; y += stride!)
    for (let x = -pad!; x + size! <= width! + pad!; x += stride!) {
      const patch: number[] = [];
      for (let c = first!; c < first! + count!; c++)
        for (let dy = 0; dy < size!; dy++)
          for (let dx = 0; dx < size!; dx++) {
            const [row, column] = [y + dy, x + dx];
            const isInside = row >= 0 && row < height! && column >= 0 && column < width!;
            patch.push(isInside ? image[(c * height! + row) * width! + column]! : 0);
          }
      patches.push(patch);
    }
  const length = patches[0]!.length;
  return Float32Array.from({ length: length * length }, (_, at) => {
    const [i, j] = [Math.floor(at / length), at % length];
    return j < i ? 0 : patches.reduce((sum, patch) => sum + patch[i]! * patch[j]!, 0) / patches.length;
  });
}

// Rounded to 16 bits (co-moments.ts): mean squares are below 4.
const TOLERANCE = { abs: 3e-4 };

describe('PatchMoments', () => {
  it('are those of all patches of a small image, by group', () => {
    const node = layer('edgewise.Conv(x, w) pads=[1, 1, 1, 1] strides=[2, 2] group=2');
    const patches = new PatchMoments(node, [6, 2, 3, 3]);
    const image = seededRandom(1).normal(4 * 4 * 4);
    patches.observe(image, [1, 4, 4, 4]);
    expect(patches.groups.map(({ width, count }) => [width, count])).toEqual([[18, 4], [18, 4]]); // prettier-ignore
    for (const [g, group] of patches.groups.entries()) {
      const rule = { height: 4, width: 4, first: 2 * g, count: 2, size: 3, stride: 2, pad: 1 };
      expectTensorClose(Float32Array.from(group.matrix()), naive(image, rule), TOLERANCE);
    }
  });

  it('look at a share of large images that comes near all of their patches', () => {
    const node = layer('edgewise.Conv(x, w) pads=[0, 0, 0, 0]');
    const patches = new PatchMoments(node, [5, 1, 2, 2]);
    const random = seededRandom(2);
    const images = Array.from({ length: 200 }, () => random.normal(20 * 20, 1, 1));
    for (const image of images) patches.observe(image, [1, 1, 20, 20]);
    const [group] = patches.groups;
    expect(group?.count).toBe(200 * 8);
    const rule = { height: 20, width: 20, first: 0, count: 1, size: 2, stride: 1, pad: 0 };
    const all = images.map((image) => naive(image, rule));
    const mean = Float32Array.from(
      { length: 16 },
      (_, at) => all.reduce((sum, each) => sum + each[at]!, 0) / 200,
    );
    // 1600 of 72200 patches: a few per cent off.
    expectTensorClose(Float32Array.from(group!.matrix()), mean, { rel: 0.1 });
  });

  it('are those of the features that a linear layer reads', () => {
    const patches = new PatchMoments(layer('edgewise.Linear(x, w)'), [3, 7]);
    patches.observe(Float32Array.of(1, 2, 0, 3, 0, 1), [2, 3]);
    expect([...patches.groups[0]!.matrix()]).toEqual([5, 1, 1.5, 0, 2, 0, 0, 0, 0.5]);
  });
});
