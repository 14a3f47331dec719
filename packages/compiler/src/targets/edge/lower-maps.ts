import type { Node } from '../../ir/index.ts';
import { readAttributes, readWindowRule, windowDims, windowPads } from '../../ops/index.ts';
import { fitSevenBits, type ConvConstants } from './constant-store.ts';
import {
  int8PanelBytes,
  kernelMatrix,
  packDepthwiseWeights,
  packInt8,
  type ByteGrid,
  type WindowSpec,
} from './kernels/index.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { bytesStride, floatStride, roundUp } from './plan-memory.ts';
import type { ConcatPart, Value } from './program.ts';

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
  const { window: shape, height } = windowOf(node, x, [kernel[0]!, kernel[1]!]);
  const window = { ...shape, zeroPoint: input.zeroPoint };
  const output = mapOutput(context, node, height, window.outWidth, filters);
  const weight = context.constants.convWeight(node.outputs[0]!, () =>
    isDepthwise
      ? depthwiseConstants(context, node, input, kernel[0]! * kernel[1]!)
      : convConstants(context, node, input, isPointwise(window) ? perGroup : window.tapBytes),
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

export function isPointwise({ kernel, strides, pads }: WindowSpec): boolean {
  return [...kernel, ...strides].every((value) => value === 1) && pads.every((value) => value === 0);
}

/** The window of a node over map x, and the rows of its output. */
export function windowOf(
  node: Node,
  x: Value,
  kernel: readonly [number, number],
): { window: WindowSpec; height: number } {
  const isBytes = x.kind === 'bytes';
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
      xStride: isBytes ? bytesStride(x) : 4 * floatStride(x),
      tapBytes: isBytes ? roundUp(x.columns, 4) : 4 * x.columns,
      kernel,
      strides: pair(rule.strides),
      dilations: pair(rule.dilations),
      pads: [top, left],
      outWidth,
    },
  };
}

/** Where a node has its constants; scales and zero points follow their values. */
interface Slots {
  readonly weight: number;
  readonly bias: number;
  readonly output: number;
}

const CONV_SLOTS: Slots = { weight: 3, output: 6, bias: 8 };

/** The kernel as a matrix over a patch, whose taps are `stride` bytes apart. */
function convConstants(context: LoweringContext, node: Node, input: ByteGrid, stride: number): ConvConstants {
  const [filters = 0, channels = 0, ...kernel] = context.constants.dims(node.inputs[CONV_SLOTS.weight]!);
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const weights = weightsOf(context, node, CONV_SLOTS);
  const matrix = kernelMatrix(weights, { filters, channels, taps, stride });
  return matrixConstants(context, node, input, { matrix, k: taps * stride, n: filters, slots: CONV_SLOTS });
}

function matrixConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { matrix, k, n, slots }: { matrix: Int8Array; k: number; n: number; slots: Slots },
): ConvConstants {
  const bits = fitSevenBits(matrix) ? 7 : 8;
  const panels = new Int8Array(int8PanelBytes(k, n));
  const { columnSums: sums, pairFlags } = packInt8(matrix, k, n, panels);
  return {
    bits,
    panels,
    pairFlags: bits === 7 ? pairFlags : undefined,
    ...channelConstants(context, node, input, { sums, n, slots }),
  };
}

function depthwiseConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  taps: number,
): ConvConstants {
  const weights = weightsOf(context, node, CONV_SLOTS);
  const channels = weights.length / taps;
  const sums = new Int32Array(roundUp(channels, PANEL));
  weights.forEach((weight, index) => {
    sums[Math.floor(index / taps)]! += weight;
  });
  return {
    bits: 8,
    panels: packDepthwiseWeights(weights, channels, taps),
    pairFlags: undefined,
    ...channelConstants(context, node, input, { sums, n: channels, slots: CONV_SLOTS }),
  };
}

function channelConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { sums, n, slots }: { sums: Int32Array; n: number; slots: Slots },
): Pick<ConvConstants, 'bias' | 'columnSums' | 'multiplier'> {
  const { constants } = context;
  const bias = node.inputs[slots.bias] ? constants.numbers(node.inputs[slots.bias]!) : [];
  const scales = constants.numbers(node.inputs[slots.weight + 1]!);
  const outputScale = node.inputs[slots.output] ? constants.scalar(node.inputs[slots.output]!) : 1;
  const { fround } = Math;
  const multiplier = new Float32Array(sums.length);
  for (let filter = 0; filter < n; filter++) {
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
function weightsOf(context: LoweringContext, node: Node, { weight }: Slots): Int8Array {
  const zeros = node.inputs[weight + 2] ? context.constants.numbers(node.inputs[weight + 2]!) : [];
  const weights = context.constants.int8(node.inputs[weight]!);
  if (!weights || zeros.some((zero) => zero !== 0)) {
    throw refuse(node, 'its weights must be int8 with zero point 0');
  }
  return weights;
}

/** Inputs: a, a_scale, a_zero_point, b [K,N], b_scale, b_zero_point, c?, y_scale?, y_zero_point?; alpha 1. */
export function lowerQGemm(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const attributes = readAttributes(node);
  const isPlain = attributes.int('transA', 0) === 0 && attributes.float('alpha', 1) === 1;
  if (!isPlain || x.rows !== 1) throw refuse(node, 'only a row times a matrix is supported');
  const input = gridOf(context, node, 1);
  const transposed = attributes.int('transB', 0) === 1;
  const [rows = 0, columns = 0] = context.constants.dims(node.inputs[3]!);
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const slots = { weight: 3, bias: 6, output: 7 };
  const isQuantized = Boolean(node.inputs[slots.output]);
  const kind = isQuantized ? 'bytes' : 'float';
  const output = context.output(node, { kind, rows: 1, columns: n, width: 1 }, true);
  const weight = context.constants.convWeight(node.outputs[0]!, () => {
    const weights = weightsOf(context, node, slots);
    // [N][K] is a kernel with one tap; [K][N] is the matrix itself.
    const matrix = transposed
      ? kernelMatrix(weights, { filters: n, channels: k, taps: 1, stride: k })
      : weights;
    return matrixConstants(context, node, input, { matrix, k, n, slots });
  });
  const zeroPoint = isQuantized ? gridOf(context, node, slots.output).zeroPoint : undefined;
  context.emit({ op: 'conv', x, weight, window: undefined, zeroPoint, output });
}

/** ai.onnx MaxPool on bytes. */
export function lowerMaxPool(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const [height = 0, width = 0] = readAttributes(node).ints('kernel_shape') ?? [];
  const { window, height: outHeight } = windowOf(node, x, [height, width]);
  const output = mapOutput(context, node, outHeight, window.outWidth, x.columns);
  context.emit({ op: 'max-pool', x, window, output });
}

/** Inputs: y_scale, y_zero_point, then x, x_scale, x_zero_point of each part; along the channels. */
export function lowerQLinearConcat(context: LoweringContext, node: Node): void {
  if (readAttributes(node).int('axis') !== 1) throw refuse(node, 'only channels can be put side by side');
  const grid = gridOf(context, node, 0);
  const parts: ConcatPart[] = [];
  for (let slot = 2; slot < node.inputs.length; slot += 3) {
    const own = gridOf(context, node, slot + 1);
    const isSame = own.scale === grid.scale && own.zeroPoint === grid.zeroPoint;
    parts.push({
      x: mapInput(context, node, slot),
      table: isSame ? undefined : context.constants.byteTable(regridTable(own, grid)),
    });
  }
  const { rows, width } = parts[0]!.x;
  const columns = parts.reduce((sum, { x }) => sum + x.columns, 0);
  const output = mapOutput(context, node, (rows as number) / width!, width!, columns);
  context.emit({ op: 'concat', parts, output });
}

/** edgewise.MapBytes: x, table. */
export function lowerMapBytes(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const table = context.constants.byteTable(Uint8Array.from(context.constants.numbers(node.inputs[1]!)));
  const output = mapOutput(context, node, (x.rows as number) / x.width!, x.width!, x.columns);
  context.emit({ op: 'concat', parts: [{ x, table }], output });
}

/** What each byte of one grid is on another: quantized from its float32 value (QLinearConcat). */
function regridTable(from: ByteGrid, to: ByteGrid): Uint8Array {
  const scale = Math.fround(from.scale);
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const real = Math.fround((byte - from.zeroPoint) * scale);
    const steps = roundHalfEven(Math.fround(real / Math.fround(to.scale)));
    return Math.max(0, Math.min(255, steps + to.zeroPoint));
  });
}

/** Nearest whole number; ties to even. */
function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c_scale, c_zero_point. */
export function lowerQLinearAdd(context: LoweringContext, node: Node): void {
  const x = mapInput(context, node, 0);
  const y = mapInput(context, node, 3);
  if (x.rows !== y.rows || x.columns !== y.columns || bytesStride(x) !== bytesStride(y)) {
    throw refuse(node, 'its operands have different shapes');
  }
  const output = mapOutput(context, node, (x.rows as number) / x.width!, x.width!, x.columns);
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

function mapOutput(
  context: LoweringContext,
  node: Node,
  height: number,
  width: number,
  columns: number,
): Value {
  return context.output(node, { kind: 'bytes', rows: height * width, columns, width });
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
