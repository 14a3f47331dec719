import type { CompilerError } from '../../diagnostics/index.ts';
import type { Node } from '../../ir/index.ts';
import { readAttributes, readWindowRule, windowDims, windowPads } from '../../ops/index.ts';
import { fitSevenBits, type ConvConstants } from './constant-store.ts';
import {
  int8PanelBytes,
  kernelMatrix,
  packDepthwiseWeights,
  packInt8,
  ROUNDABLE,
  type ByteGrid,
  type WindowSpec,
} from './kernels/index.ts';
import { valueLike } from './lower-elementwise.ts';
import { concatenate, type ConcatPart } from './lower-moves.ts';
import { joinArrays } from './join-arrays.ts';
import { refuse, type LoweringContext, type MapView } from './lowering-context.ts';
import { restride, type TensorView } from './tensor-view.ts';
import { elementBytes, roundUp, rowStride } from './value.ts';

// Convolutional networks in ONNX's operator-oriented quantized form, on maps of bytes with channels innermost.

const PANEL = 8;
/** Pixels of an image are this many bytes when its channels fit: a window over them wastes little. */
const IMAGE_PIXEL_BYTES = 4;

/** QuantizeLinear of an image that comes in, planes of float32, or of what a layer made. */
export function lowerQuantizeLinear(context: LoweringContext, node: Node): void {
  const view = context.tensor(node, 0);
  const grid = gridOf(context, node, 1);
  const [batch, channels, height, width] = view.dims as number[];
  if (view.value.kind !== 'dense' || view.dims.length !== 4 || batch !== 1) {
    const x = context.whole(node, 0);
    context.emit({ op: 'quantize-rows', x: x.value, grid, output: context.outputAs(node, x, 'bytes') });
    return;
  }
  const isNarrow = channels! <= IMAGE_PIXEL_BYTES;
  const shape = {
    kind: 'bytes',
    rows: height! * width!,
    columns: channels!,
    ...(isNarrow && { pixelBytes: IMAGE_PIXEL_BYTES }),
  } as const;
  const output = context.output(node, shape, view.dims, 1);
  context.emit({ op: 'quantize-image', x: view.value, grid, output });
}

/** Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias?. */
export function lowerQLinearConv(context: LoweringContext, node: Node): void {
  const map = context.map(node, 0, 'bytes');
  const { x } = map;
  const [filters = 0, perGroup = 0, ...kernel] = context.constants.dims(node.inputs[3]!);
  if (kernel.length !== 1 && kernel.length !== 2)
    throw refuse(node, 'only convolutions over one or two axes are supported');
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const groups = readAttributes(node).int('group', 1);
  const isDepthwise = groups > 1 && groups === x.columns && filters === groups;
  const n = isDepthwise ? filters : filters / groups;

  const input = gridOf(context, node, 1);
  const { zeroPoint } = gridOf(context, node, 6);
  const { window: shape, space } = windowOf(node, map, kernel);
  const isByPixel = groups === 1 && isPointwise(shape);
  const tapBytes = isDepthwise ? shape.tapBytes : roundUp(perGroup, 4);
  const window = { ...shape, tapBytes, zeroPoint: input.zeroPoint };
  const output = context.mapOutput(node, 'bytes', [filters, ...space], roundUp(n, 8) - n);
  const weight = context.constants.convWeight(node.outputs[0]!, () =>
    isDepthwise
      ? depthwiseConstants(context, node, input, taps)
      : convConstants(context, node, input, { groups, stride: isByPixel ? perGroup : tapBytes }),
  );
  if (isDepthwise) context.emit({ op: 'depthwise', x, weight, window, zeroPoint, output });
  else
    context.emit({
      op: 'conv',
      x,
      weight,
      groups,
      window: isByPixel ? undefined : window,
      zeroPoint,
      output,
    });
}

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

/** Where a node has its constants; scales and zero points follow their values. */
interface Slots {
  readonly weight: number;
  readonly bias: number;
  readonly output: number;
}

const CONV_SLOTS: Slots = { weight: 3, output: 6, bias: 8 };

/** The kernel of each group as a matrix over a patch, whose taps are `stride` bytes apart. */
function convConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { groups, stride }: { groups: number; stride: number },
): ConvConstants {
  const [all = 0, channels = 0, ...kernel] = context.constants.dims(node.inputs[CONV_SLOTS.weight]!);
  const taps = kernel.reduce((product, extent) => product * extent, 1);
  const weights = weightsOf(context, node, CONV_SLOTS);
  const bits = fitSevenBits(weights) ? 7 : 8;
  const n = all / groups;
  const size = weights.length / groups;
  const parts = Array.from({ length: groups }, (_, group) => {
    const part = weights.subarray(group * size, (group + 1) * size);
    const matrix = kernelMatrix(part, { filters: n, channels, taps, stride });
    const shape: MatrixShape = { matrix, bits, k: taps * stride, n, first: group * n, slots: CONV_SLOTS };
    return matrixConstants(context, node, input, shape);
  });
  return {
    bits,
    panels: joinArrays(parts.map(({ panels }) => panels)),
    pairFlags: bits === 7 ? joinArrays(parts.map(({ pairFlags }) => pairFlags!)) : undefined,
    bias: joinArrays(parts.map(({ bias }) => bias)),
    columnSums: joinArrays(parts.map(({ columnSums }) => columnSums)),
    multiplier: joinArrays(parts.map(({ multiplier }) => multiplier)),
    isRoundable: parts.every(({ isRoundable }) => isRoundable),
  };
}

interface MatrixShape {
  readonly matrix: Int8Array;
  readonly bits: 7 | 8;
  readonly k: number;
  readonly n: number;
  /** The first of the node's channels. */
  readonly first: number;
  readonly slots: Slots;
}

function matrixConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { matrix, bits, k, n, first, slots }: MatrixShape,
): ConvConstants {
  const panels = new Int8Array(int8PanelBytes(k, n));
  const { columnSums: sums, pairFlags } = packInt8(matrix, k, n, panels);
  return {
    bits,
    panels,
    pairFlags: bits === 7 ? pairFlags : undefined,
    ...channelConstants(context, node, input, { sums, k, n, first, slots }),
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
    ...channelConstants(context, node, input, { sums, k: taps, n: channels, first: 0, slots: CONV_SLOTS }),
  };
}

function channelConstants(
  context: LoweringContext,
  node: Node,
  input: ByteGrid,
  { sums, k, n, first, slots }: Omit<MatrixShape, 'matrix' | 'bits'> & { sums: Int32Array },
): Pick<ConvConstants, 'bias' | 'columnSums' | 'multiplier' | 'isRoundable'> {
  const { constants } = context;
  const bias = node.inputs[slots.bias] ? constants.numbers(node.inputs[slots.bias]!) : [];
  const scales = constants.numbers(node.inputs[slots.weight + 1]!);
  const outputScale = node.inputs[slots.output] ? constants.scalar(node.inputs[slots.output]!) : 1;
  const { fround } = Math;
  const multiplier = new Float32Array(sums.length);
  for (let filter = 0; filter < n; filter++) {
    const scale = scales.length === 1 ? scales[0]! : scales[first + filter]!;
    multiplier[filter] = fround(fround(input.scale * scale) / outputScale);
  }
  const folded = sums.map(
    (sum, filter) => (filter < n ? (bias[first + filter] ?? 0) : 0) - input.zeroPoint * sum,
  );
  return {
    bias: folded,
    columnSums: sums,
    multiplier,
    isRoundable: multiplier.every(
      (factor, filter) => (LARGEST_PRODUCT * k + Math.abs(folded[filter]!)) * factor < ROUNDABLE,
    ),
  };
}

/** Of a byte and a weight. */
const LARGEST_PRODUCT = 255 * 128;

/** Weights without a zero point: int8 with 0, or uint8 with one zero point where the differences from it fit. */
function weightsOf({ constants }: LoweringContext, node: Node, { weight }: Slots): Int8Array {
  const [name = '', , zeroName = ''] = node.inputs.slice(weight);
  const [zero = 0, ...more] = zeroName === '' ? [] : constants.numbers(zeroName);
  const weights = constants.int8(name);
  if (weights && [zero, ...more].every((value) => value === 0)) return weights;
  const differences = constants.numbers(name).map((value) => value - zero);
  const doFit =
    more.every((value) => value === zero) && differences.every((value) => value >= -128 && value <= 127);
  if (!doFit) throw refuse(node, 'its weights less their zero point do not fit into int8');
  return Int8Array.from(differences);
}

/** Inputs: a, a_scale, a_zero_point, b [K,N], b_scale, b_zero_point, c?, y_scale?, y_zero_point?; alpha 1. */
export function lowerQGemm(context: LoweringContext, node: Node): void {
  if (!context.isBytes(node, 0)) throw notQuantized(node, 0);
  const x = context.input(node, 0);
  const attributes = readAttributes(node);
  const isPlain = attributes.int('transA', 0) === 0 && attributes.float('alpha', 1) === 1;
  if (!isPlain) throw refuse(node, 'only rows times a matrix are supported');
  const input = gridOf(context, node, 1);
  const transposed = attributes.int('transB', 0) === 1;
  const [rows = 0, columns = 0] = context.constants.dims(node.inputs[3]!);
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const slots = { weight: 3, bias: 6, output: 7 };
  const isQuantized = Boolean(node.inputs[slots.output]);
  const kind = isQuantized ? 'bytes' : 'float';
  const output = context.output(node, { kind, rows: x.rows, columns: n }, [x.rows, n]);
  const weight = context.constants.convWeight(node.outputs[0]!, () => {
    const weights = weightsOf(context, node, slots);
    // [N][K] is a kernel with one tap; [K][N] is the matrix itself.
    const matrix = transposed
      ? kernelMatrix(weights, { filters: n, channels: k, taps: 1, stride: k })
      : weights;
    const bits = fitSevenBits(matrix) ? 7 : 8;
    return matrixConstants(context, node, input, { matrix, bits, k, n, first: 0, slots });
  });
  const zeroPoint = isQuantized ? gridOf(context, node, slots.output).zeroPoint : undefined;
  context.emit({ op: 'conv', x, weight, groups: 1, window: undefined, zeroPoint, output });
}

/** ai.onnx MaxPool on bytes. */
export function lowerMaxPool(context: LoweringContext, node: Node): void {
  const map = context.map(node, 0, 'bytes');
  const { window, space } = windowOf(node, map, kernelOf(node));
  const output = context.mapOutput(node, 'bytes', [map.x.columns, ...space]);
  context.emit({ op: 'max-pool', x: map.x, window, output });
}

/** Inputs: x, x_scale, x_zero_point, y_scale, y_zero_point. */
export function lowerQLinearAveragePool(context: LoweringContext, node: Node): void {
  if (readAttributes(node).int('channels_last', 0) !== 0)
    throw refuse(node, 'channels_last is not supported');
  const map = context.map(node, 0, 'bytes');
  const { window, space } = windowOf(node, map, kernelOf(node));
  const output = context.mapOutput(node, 'bytes', [map.x.columns, ...space]);
  const grids = [gridOf(context, node, 1), gridOf(context, node, 3)] as const;
  context.emit({
    op: 'average-pool',
    x: map.x,
    window,
    countsPadding: countsPaddingOf(node),
    grids,
    output,
  });
}

/** Inputs: y_scale, y_zero_point, then x, x_scale, x_zero_point of each part. */
export function lowerQLinearConcat(context: LoweringContext, node: Node): void {
  const grid = gridOf(context, node, 0);
  const parts: ConcatPart[] = [];
  for (let slot = 2; slot < node.inputs.length; slot += 3) {
    const own = gridOf(context, node, slot + 1);
    const isSame = own.scale === grid.scale && own.zeroPoint === grid.zeroPoint;
    parts.push({
      view: context.tensor(node, slot),
      table: isSame ? undefined : context.constants.byteTable(regridTable(own, grid)),
    });
  }
  concatenate(context, node, parts);
}

/** edgewise.MapBytes: x, table. */
export function lowerMapBytes(context: LoweringContext, node: Node): void {
  if (!context.isBytes(node, 0)) throw notQuantized(node, 0);
  const view = context.whole(node, 0);
  const table = context.constants.byteTable(Uint8Array.from(context.constants.numbers(node.inputs[1]!)));
  const output = context.outputAs(node, view, 'bytes');
  context.copy(node, view, restride(view, output), { table });
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

/** QLinearAdd, QLinearMul: a, a_scale, a_zero_point, b, b_scale, b_zero_point, c_scale, c_zero_point. */
export function lowerQLinearBinary(context: LoweringContext, node: Node): void {
  const operator = node.opType === 'QLinearAdd' ? 'add' : 'mul';
  for (const slot of [0, 3]) if (!context.isBytes(node, slot)) throw notQuantized(node, slot);
  const [grid, other, result] = [1, 4, 6].map((slot) => gridOf(context, node, slot)) as [
    ByteGrid,
    ByteGrid,
    ByteGrid,
  ];
  const isFirst = sizeOf(context.tensor(node, 0)) >= sizeOf(context.tensor(node, 3));
  const a = context.whole(node, isFirst ? 0 : 3);
  const b = valueLike(context, node, context.tensor(node, isFirst ? 3 : 0), a);
  const output = context.outputAs(node, a, 'bytes');
  const grids = isFirst ? ([grid, other, result] as const) : ([other, grid, result] as const);
  context.emit({ op: 'binary-bytes', operator, a: a.value, b, grids, output });
}

function sizeOf({ dims }: TensorView): number {
  return (dims as number[]).reduce((product, dim) => product * dim, 1);
}

/** Inputs: x, x_scale, x_zero_point, y_scale, y_zero_point. */
export function lowerQLinearGlobalAveragePool(context: LoweringContext, node: Node): void {
  if (readAttributes(node).int('channels_last', 0) !== 0)
    throw refuse(node, 'channels_last is not supported');
  const { x } = context.map(node, 0, 'bytes');
  const output = context.mapOutput(node, 'bytes', [x.columns, 1, 1]);
  context.emit({ op: 'average', x, grids: [gridOf(context, node, 1), gridOf(context, node, 3)], output });
}

export function lowerDequantizeLinear(context: LoweringContext, node: Node): void {
  if (!context.isBytes(node, 0)) throw notQuantized(node, 0);
  const x = context.whole(node, 0);
  context.emit({
    op: 'dequantize',
    x: x.value,
    grid: gridOf(context, node, 1),
    output: context.outputAs(node, x),
  });
}

function notQuantized(node: Node, slot: number): CompilerError {
  return refuse(node, `its input "${node.inputs[slot]}" is not quantized`);
}

/** Scale and zero point in slots `slot` and `slot + 1`. */
function gridOf(context: LoweringContext, node: Node, slot: number): ByteGrid {
  const { constants } = context;
  const [scale = '', zero = ''] = node.inputs.slice(slot);
  const dtype = zero === '' ? 'uint8' : constants.tensor(zero).dtype;
  if (dtype !== 'uint8') throw refuse(node, `values of ${dtype} are not supported, only uint8`);
  return { scale: constants.scalar(scale), zeroPoint: zero === '' ? 0 : constants.scalar(zero) };
}
