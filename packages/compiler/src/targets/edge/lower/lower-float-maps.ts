import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import {
  packDepthwiseF32,
  packFloatWeights,
  suitsWinograd,
  type Activation,
  type NamedActivation,
} from '../kernels/index.ts';
import { joinArrays } from '../weights/join-arrays.ts';
import { LARGEST } from './lower-elementwise.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { countsPaddingOf, isPointwise, kernelOf, windowOf } from './map-windows.ts';
import { padRows } from '../weights/int4.ts';
import type { Address, FloatWeight } from '../program/program.ts';
import { roundUp } from '../program/value.ts';

// Convolutional networks in float32, on maps with channels innermost.

/** edgewise.Conv over one or two axes: x, weight [filters, channels per group, height, width], bias?. */
export function lowerConv(context: LoweringContext, node: Node): void {
  const map = context.map(node, 0, 'float');
  const { x } = map;
  const [filters = 0, perGroup = 0, ...kernel] = context.constants.dims(node.inputs[1]!);
  if (kernel.length !== 1 && kernel.length !== 2)
    throw refuse(node, 'only convolutions over one or two axes are supported');
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const groups = readAttributes(node).int('group', 1);
  const isDepthwise = groups > 1 && groups === x.columns && filters === groups;
  const n = isDepthwise ? filters : filters / groups;

  const activation = readActivation(node);
  const { window: all, space } = windowOf(node, map, kernel);
  const window = isDepthwise ? all : { ...all, tapBytes: 4 * perGroup };
  const output = context.mapOutput(node, 'float', [filters, ...space], roundUp(n, 8) - n);
  const bias = groupedBias(context, node.inputs[2] ?? '', filters, n);
  const weights = context.constants.packed(
    node.inputs[1]!,
    isDepthwise ? 'depthwise' : `patches ${groups}`,
    (values) =>
      isDepthwise
        ? packDepthwiseF32(values, filters, taps)
        : packGroups(values, { groups, filters: n, channels: perGroup, taps }),
  );
  if (isDepthwise) {
    context.emit({ op: 'depthwise-f32', x, weights, bias, window, activation, output });
  } else if (groups === 1 && isPointwise(window)) {
    const weight: FloatWeight = { kind: 'float32', k: perGroup, n: filters, panels: weights, bias };
    context.emit({ op: 'linear', x, weight, activation, output });
  } else {
    const pixels = space.reduce((product, extent) => product * extent, 1);
    const isWinograd = groups === 1 && suitsWinograd(window, perGroup, filters, pixels);
    context.emit({ op: 'conv-f32', x, weights, groups, bias, window, isWinograd, activation, output });
  }
}

/** The biases of the filters, those of each group of `n` padded to whole panels. */
function groupedBias({ constants }: LoweringContext, name: string, filters: number, n: number): Address {
  const padded = roundUp(n, 8);
  if (name === '' || n === filters) return constants.bias(name, (filters / n) * padded);
  return constants.packed(name, `groups of ${n}`, (values) => padRows(values, n, padded));
}

/** Of one group. */
interface Kernel {
  readonly filters: number;
  readonly channels: number;
  readonly taps: number;
}

/** The panels of each group, one group behind the other. */
function packGroups(values: Float32Array, { groups, ...kernel }: Kernel & { groups: number }): Float32Array {
  const size = values.length / groups;
  const parts = Array.from({ length: groups }, (_, group) =>
    packKernel(values.subarray(group * size, (group + 1) * size), kernel),
  );
  return joinArrays(parts);
}

/** ONNX's [filters][channels][taps] to panels over [taps][channels] × filters. */
function packKernel(values: Float32Array, { filters, channels, taps }: Kernel): Float32Array {
  const matrix = new Float32Array(values.length);
  for (let filter = 0; filter < filters; filter++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const to = (tap * channels + channel) * filters + filter;
        matrix[to] = values[(filter * channels + channel) * taps + tap]!;
      }
    }
  }
  return packFloatWeights(matrix, taps * channels, filters);
}

const NAMED: ReadonlySet<string> = new Set<NamedActivation>([
  'none',
  'relu',
  'sigmoid',
  'tanh',
  'silu',
  'mish',
  'hard_swish',
]);

function readActivation(node: Node): Activation {
  const attributes = readAttributes(node);
  const name = attributes.string('activation', 'none');
  if (NAMED.has(name)) return name as NamedActivation;
  if (name === 'leaky_relu') return { kind: 'leaky_relu', slope: attributes.float('alpha', 0.01) };
  if (name === 'hard_sigmoid') {
    return {
      kind: 'hard_sigmoid',
      slope: attributes.float('alpha', 0.2),
      offset: attributes.float('beta', 0.5),
    };
  }
  if (name === 'clip') {
    return {
      kind: 'clip',
      low: attributes.float('min', -LARGEST),
      high: attributes.float('max', LARGEST),
    };
  }
  throw refuse(node, `the activation ${name} is not supported`);
}

export function lowerFloatMaxPool(context: LoweringContext, node: Node): void {
  const map = context.map(node, 0, 'float');
  const { window, space } = windowOf(node, map, kernelOf(node));
  const output = context.mapOutput(node, 'float', [map.x.columns, ...space]);
  context.emit({ op: 'max-pool-rows', x: map.x, window, output });
}

export function lowerAveragePool(context: LoweringContext, node: Node): void {
  const map = context.map(node, 0, 'float');
  const { window, space } = windowOf(node, map, kernelOf(node));
  const output = context.mapOutput(node, 'float', [map.x.columns, ...space]);
  const countsPadding = countsPaddingOf(node);
  context.emit({ op: 'average-pool', x: map.x, window, countsPadding, grids: undefined, output });
}
