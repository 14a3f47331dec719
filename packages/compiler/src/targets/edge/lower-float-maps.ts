import type { Node } from '../../ir/index.ts';
import { readAttributes } from '../../ops/index.ts';
import {
  packDepthwiseF32,
  packFloatWeights,
  type Activation,
  type NamedActivation,
} from './kernels/index.ts';
import { isPointwise, windowOf } from './lower-maps.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { FloatWeight, Value } from './program.ts';

// Convolutional networks in float32, on maps with channels innermost.

/** edgewise.Conv: x, weight [filters, channels per group, height, width], bias?. */
export function lowerConv(context: LoweringContext, node: Node): void {
  const x = context.floatMap(node, 0);
  const [filters = 0, perGroup = 0, ...kernel] = context.constants.dims(node.inputs[1]!);
  if (kernel.length !== 2) throw refuse(node, 'only convolutions over two axes are supported');
  const groups = readAttributes(node).int('group', 1);
  const isDepthwise = groups > 1 && groups === x.columns && filters === groups;
  if (groups > 1 && !isDepthwise)
    throw refuse(node, `${groups} groups of ${perGroup} channels are not supported`);

  const activation = readActivation(node);
  const { window, height } = windowOf(node, x, [kernel[0]!, kernel[1]!]);
  const output = mapOutput(context, node, height, window.outWidth, filters);
  const bias = context.constants.bias(node.inputs[2] ?? '', filters);
  const weights = context.constants.packed(node.inputs[1]!, isDepthwise ? 'depthwise' : 'patches', (values) =>
    isDepthwise
      ? packDepthwiseF32(values, filters, kernel[0]! * kernel[1]!)
      : packKernel(values, filters, perGroup, kernel[0]! * kernel[1]!),
  );
  if (isDepthwise) {
    context.emit({ op: 'depthwise-f32', x, weights, bias, window, activation, output });
  } else if (isPointwise(window)) {
    const weight: FloatWeight = { kind: 'float32', k: perGroup, n: filters, panels: weights, bias };
    context.emit({ op: 'linear', x, weight, activation, output });
  } else {
    context.emit({ op: 'conv-f32', x, weights, bias, window, activation, output });
  }
}

/** ONNX's [filters][channels][taps] to panels over [taps][channels] × filters. */
function packKernel(values: Float32Array, filters: number, channels: number, taps: number): Float32Array {
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
  'hard_swish',
]);

function readActivation(node: Node): Activation {
  const attributes = readAttributes(node);
  const name = attributes.string('activation', 'none');
  if (NAMED.has(name)) return name as NamedActivation;
  if (name === 'leaky_relu') return { kind: 'leaky_relu', slope: attributes.float('alpha', 0.01) };
  if (name === 'clip') {
    return {
      kind: 'clip',
      low: attributes.float('min', -3.4028234663852886e38),
      high: attributes.float('max', 3.4028234663852886e38),
    };
  }
  throw refuse(node, `the activation ${name} is not supported`);
}

export function lowerGlobalAveragePool(context: LoweringContext, node: Node): void {
  const x = context.floatMap(node, 0);
  context.emit({ op: 'average-rows', x, output: mapOutput(context, node, 1, 1, x.columns) });
}

/** Concat of maps along their channels. */
export function lowerConcat(context: LoweringContext, node: Node): void {
  const parts = node.inputs.map((_, slot) => ({ x: context.floatMap(node, slot), table: undefined }));
  const [first] = parts;
  const axis = readAttributes(node).int('axis');
  if (first === undefined || (axis !== 1 && axis !== -3))
    throw refuse(node, 'only channels can be put side by side');
  const { rows, width } = first.x;
  const columns = parts.reduce((sum, { x }) => sum + x.columns, 0);
  const output = mapOutput(context, node, (rows as number) / width!, width!, columns);
  context.emit({ op: 'concat', parts, output });
}

export function lowerFloatMaxPool(context: LoweringContext, node: Node): void {
  const x = context.floatMap(node, 0);
  const [height = 0, width = 0] = readAttributes(node).ints('kernel_shape') ?? [];
  const { window, height: outHeight } = windowOf(node, x, [height, width]);
  const output = mapOutput(context, node, outHeight, window.outWidth, x.columns);
  context.emit({ op: 'max-pool-rows', x, window, output });
}

function mapOutput(
  context: LoweringContext,
  node: Node,
  height: number,
  width: number,
  columns: number,
): Value {
  return context.output(node, { kind: 'float', rows: height * width, columns, width });
}
