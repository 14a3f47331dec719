import type { Node } from '../../ir/index.ts';
import { readAttributes, readWindowRule, windowDims, windowPads } from '../../ops/index.ts';
import { fitSevenBits, type ConvConstants } from './constant-store.ts';
import {
  columnSums,
  kernelMatrix,
  packDepthwiseWeights,
  packInt8Weights,
  packPairFlags,
  type ByteGrid,
  type WindowSpec,
} from './kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { bytesStride, roundUp } from './plan-memory.ts';
import type { Value } from './program.ts';

// Convolutional networks in ONNX's operator-oriented quantized form, on maps of bytes with channels innermost.

const PANEL = 8;
/** Pixels of an image are this many bytes when its channels fit: a window over them wastes little. */
const IMAGE_PIXEL_BYTES = 4;

/** QuantizeLinear of an image, planes of float32. */
export function lowerQuantizeLinear(context: LoweringContext, node: Node): void {
  const x = context.input(node, 0);
  if (x.kind !== 'image') throw refuse(node, 'only the image that comes in can be quantized');
  const pixels = x.rows as number;
  const grid = gridOf(context, node, 1);
  const output = context.output(node, {
    kind: 'bytes',
    rows: pixels,
    columns: x.columns / pixels,
    width: x.width!,
    ...(x.columns / pixels <= IMAGE_PIXEL_BYTES && { pixelBytes: IMAGE_PIXEL_BYTES }),
  });
  context.emit({ op: 'quantize-image', x, grid, output });
}

/** Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias?. */
export function lowerQLinearConv(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const [filters = 0, perGroup = 0, ...kernel] = context.constants.dims(node.inputs[3]!);
  if (kernel.length !== 2) throw refuse(node, 'only convolutions over two axes are supported');
  const groups = readAttributes(node).int('group', 1);
  const isDepthwise = groups > 1 && groups === x.columns && filters === groups;
  if (groups > 1 && !isDepthwise)
    throw refuse(node, `${groups} groups of ${perGroup} channels are not supported`);

  const input = gridOf(context, node, 1);
  const { zeroPoint } = gridOf(context, node, 6);
  const { window, height } = windowOf(node, x, [kernel[0]!, kernel[1]!], input.zeroPoint);
  const output = context.output(node, {
    kind: 'bytes',
    rows: height * window.outWidth,
    columns: filters,
    width: window.outWidth,
  });
  const weight = context.constants.convWeight(node.outputs[0]!, () =>
    isDepthwise
      ? depthwiseConstants(context, node, input, kernel[0]! * kernel[1]!)
      : convConstants(context, node, input, isPointwise(window) ? perGroup : window.xStride),
  );
  if (isDepthwise) context.emit({ op: 'depthwise', x, weight, window, zeroPoint, output });
  else {
    context.emit({
      op: 'conv',
      x,
      weight,
      window: isPointwise(window) ? undefined : window,
      zeroPoint,
      output,
    });
  }
}

function isPointwise({ kernel, strides, pads }: WindowSpec): boolean {
  return [...kernel, ...strides].every((value) => value === 1) && pads.every((value) => value === 0);
}

function windowOf(
  node: Node,
  x: Value,
  kernel: readonly [number, number],
  zeroPoint: number,
): { window: WindowSpec; height: number } {
  const width = x.width!;
  const dims = [(x.rows as number) / width, width];
  const rule = readWindowRule(readAttributes(node), kernel);
  const [height = 0, outWidth = 0] = windowDims(rule, dims) as number[];
  const [top = 0, left = 0] = windowPads(rule, dims, [height, outWidth]);
  const pair = (values: readonly number[]): readonly [number, number] => [values[0]!, values[1]!];
  return {
    height,
    window: {
      height: dims[0]!,
      width,
      xStride: bytesStride(x),
      kernel,
      strides: pair(rule.strides),
      dilations: pair(rule.dilations),
      pads: [top, left],
      outWidth,
      zeroPoint,
    },
  };
}

/** The kernel as a matrix over a patch, whose taps are `stride` bytes apart. */
function convConstants(context: LoweringContext, node: Node, input: ByteGrid, stride: number): ConvConstants {
  const [filters = 0, channels = 0, ...kernel] = context.constants.dims(node.inputs[3]!);
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const matrix = kernelMatrix(weightsOf(context, node), { filters, channels, taps, stride });
  const k = taps * stride;
  const bits = fitSevenBits(matrix) ? 7 : 8;
  return {
    bits,
    panels: packInt8Weights(matrix, k, filters),
    pairFlags: bits === 7 ? packPairFlags(matrix, k, filters) : undefined,
    ...channelConstants(context, node, input, columnSums(matrix, k, filters)),
  };
}

function depthwiseConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  taps: number,
): ConvConstants {
  const weights = weightsOf(context, node);
  const channels = weights.length / taps;
  const sums = new Int32Array(roundUp(channels, PANEL));
  weights.forEach((weight, index) => {
    sums[Math.floor(index / taps)]! += weight;
  });
  return {
    bits: 8,
    panels: packDepthwiseWeights(weights, channels, taps),
    pairFlags: undefined,
    ...channelConstants(context, node, input, sums),
  };
}

function channelConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  sums: Int32Array,
): Pick<ConvConstants, 'bias' | 'columnSums' | 'multiplier'> {
  const { constants } = context;
  const bias = node.inputs[8] ? constants.numbers(node.inputs[8]) : [];
  const scales = constants.numbers(node.inputs[4]!);
  const outputScale = constants.scalar(node.inputs[6]!);
  const filters = context.constants.dims(node.inputs[3]!)[0]!;
  const { fround } = Math;
  const multiplier = new Float32Array(sums.length);
  for (let filter = 0; filter < filters; filter++) {
    const scale = scales.length === 1 ? scales[0]! : scales[filter]!;
    multiplier[filter] = fround(fround(input.scale * scale) / outputScale);
  }
  return {
    bias: sums.map((sum, filter) => (bias[filter] ?? 0) - input.zeroPoint * sum),
    columnSums: sums,
    multiplier,
  };
}

/** int8 weights without a zero point. */
function weightsOf(context: LoweringContext, node: Node): Int8Array {
  const zeros = node.inputs[5] ? context.constants.numbers(node.inputs[5]) : [];
  const weights = context.constants.numbers(node.inputs[3]!);
  if (zeros.some((zero) => zero !== 0) || weights.some((weight) => weight > 127)) {
    throw refuse(node, 'its weights must be int8 with zero point 0');
  }
  return Int8Array.from(weights);
}

/** Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c_scale, c_zero_point. */
export function lowerQLinearAdd(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const y = mapInput(context, node, 3);
  if (x.rows !== y.rows || x.columns !== y.columns || bytesStride(x) !== bytesStride(y)) {
    throw refuse(node, 'its operands have different shapes');
  }
  const output = context.output(node, { kind: 'bytes', rows: x.rows, columns: x.columns, width: x.width! });
  const grids = [gridOf(context, node, 1), gridOf(context, node, 4), gridOf(context, node, 6)] as const;
  context.emit({ op: 'add-bytes', x, y, grids, output });
}

/** Inputs: x, x_scale, x_zero_point, y_scale, y_zero_point. */
export function lowerQLinearGlobalAveragePool(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  if (readAttributes(node).int('channels_last', 0) !== 0)
    throw refuse(node, 'channels_last is not supported');
  const output = context.output(node, { kind: 'bytes', rows: 1, columns: x.columns, width: 1 });
  context.emit({ op: 'average', x, grids: [gridOf(context, node, 1), gridOf(context, node, 3)], output });
}

/** Of a map with one pixel, in which channels innermost or outermost is the same. */
export function lowerFlatten(context: LoweringContext, node: Node): void {
  const x = context.input(node, 0);
  if (x.rows !== 1 || readAttributes(node).int('axis', 1) !== 1) {
    throw refuse(node, 'only a map of one pixel can be flattened');
  }
  context.alias(node, x, true);
}

export function lowerDequantizeLinear(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const output = context.outputLike(node, x);
  context.emit({ op: 'dequantize', x, grid: gridOf(context, node, 1), output });
}

function mapInput(context: LoweringContext, node: Node, slot: number): Value {
  const x = context.input(node, slot);
  if (x.kind !== 'bytes') throw refuse(node, `its input "${x.name}" is not a quantized map`);
  return x;
}

/** Scale and zero point in slots `slot` and `slot + 1`. */
function gridOf(context: LoweringContext, node: Node, slot: number): ByteGrid {
  const zero = node.inputs[slot + 1];
  return {
    scale: context.constants.scalar(node.inputs[slot] ?? ''),
    zeroPoint: zero ? context.constants.scalar(zero) : 0,
  };
}
