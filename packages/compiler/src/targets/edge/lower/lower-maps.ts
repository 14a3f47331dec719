import type { CompilerError } from '../../../diagnostics/index.ts';
import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import {
  convConstants,
  convWeights,
  depthwiseConstants,
  gridOf,
  matrixConstants,
  weightsOf,
} from './conv-constants.ts';
import { fitsWinograd, kernelMatrix, pairFormOf, suitsWinograd, type ByteGrid } from '../kernels/index.ts';
import { valueLike } from './lower-elementwise.ts';
import { concatenate, type ConcatPart } from './lower-moves.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { countsPaddingOf, isPointwise, kernelOf, windowOf } from './map-windows.ts';
import { restride, type TensorView } from '../program/tensor-view.ts';
import { roundUp } from '../program/value.ts';

// Convolutional networks in ONNX's operator-oriented quantized form, on maps of bytes with channels innermost.

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
  const isWinograd =
    groups === 1 &&
    suitsWinograd(
      window,
      x.columns,
      filters,
      space.reduce((product, extent) => product * extent, 1),
    ) &&
    fitsWinograd(convWeights(context, node), filters);
  const weight = context.constants.convWeight(node.outputs[0]!, () =>
    isDepthwise
      ? depthwiseConstants(context, node, input, taps)
      : convConstants(context, node, input, { groups, stride: isByPixel ? perGroup : tapBytes, isWinograd }),
  );
  if (isDepthwise) return context.emit({ op: 'depthwise', x, weight, window, zeroPoint, output });
  context.emit({
    op: 'conv',
    x,
    weight,
    groups,
    window: isByPixel ? undefined : window,
    isWinograd,
    zeroPoint,
    output,
  });
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
    const pairs = pairFormOf(matrix, n);
    return matrixConstants(context, node, input, { matrix, pairs, k, n, first: 0, slots });
  });
  const zeroPoint = isQuantized ? gridOf(context, node, slots.output).zeroPoint : undefined;
  context.emit({ op: 'conv', x, weight, groups: 1, window: undefined, isWinograd: false, zeroPoint, output });
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
  concatenate(context, node, parts, readAttributes(node).int('axis'));
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
