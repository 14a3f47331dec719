import type { Node } from '../../../ir/index.ts';
import { readAttributes, readWindowRule, windowDims, windowPads } from '../../../ops/index.ts';
import type { WindowSpec } from '../kernels/index.ts';
import { refuse, type MapView } from './lowering-context.ts';
import { elementBytes, roundUp, rowStride } from '../program/value.ts';

// Windows of convolutions and poolings, over maps of bytes and of floats.

export function isPointwise({ kernel, strides, pads }: WindowSpec): boolean {
  return [...kernel, ...strides].every((value) => value === 1) && pads.every((value) => value === 0);
}

/** The window of a node over a map, and the extents of its output along the axes of the kernel. */
export function windowOf(
  node: Node,
  { x, height, width }: MapView,
  kernel: readonly number[],
): { window: WindowSpec; space: readonly number[] } {
  const isBytes = x.kind === 'bytes';
  const axes = kernel.length;
  const dims = [height, width].slice(-axes);
  const rule = readWindowRule(readAttributes(node), kernel);
  const space = windowDims(rule, dims) as number[];
  return {
    space,
    window: {
      height,
      width,
      xStride: elementBytes(x) * rowStride(x),
      tapBytes: isBytes ? roundUp(x.columns, 4) : 4 * x.columns,
      kernel: lastTwo(kernel, 1),
      strides: lastTwo(rule.strides, 1),
      dilations: lastTwo(rule.dilations, 1),
      pads: lastTwo(windowPads(rule, dims, space).slice(0, axes), 0),
      outWidth: space.at(-1)!,
    },
  };
}

/** Of one or two values, two; what an axis of extent 1 in front has is `missing`. */
function lastTwo(values: readonly number[], missing: number): readonly [number, number] {
  const [first = missing, second] = values;
  return second === undefined ? [missing, first] : [first, second];
}

export function kernelOf(node: Node): readonly number[] {
  const kernel = readAttributes(node).ints('kernel_shape') ?? [];
  if (kernel.length !== 1 && kernel.length !== 2)
    throw refuse(node, 'only windows over one or two axes are supported');
  return kernel;
}

export function countsPaddingOf(node: Node): boolean {
  return readAttributes(node).int('count_include_pad', 0) === 1;
}
