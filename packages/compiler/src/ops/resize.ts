import { CompilerError } from '../diagnostics/index.ts';
import { mulDims, type Dim, type Shape } from '../ir/index.ts';
import { aroundAxis, asNumbers, normalizeAxis } from './indexing.ts';
import { dtypeOf, knownNumbers, shapeOf, tensorType } from './inference.ts';
import { allocate, toNumbers, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, NodeContext, OpDefinition } from './op-definition.ts';
import { roundHalfEven } from './float-formats.ts';
import { floorDivDim } from './floor-dim.ts';

/** One output coordinate along an axis: input positions and their weights. */
interface Taps {
  readonly positions: readonly number[];
  readonly weights: readonly number[];
}

/** Where the scales and sizes inputs are; Upsample and Resize 10 have scales at 1 and no sizes. */
function inputsOf({ node, opset }: NodeContext): { scales: number; sizes: number } {
  return node.opType === 'Upsample' || opset < 11 ? { scales: 1, sizes: -1 } : { scales: 2, sizes: 3 };
}

function axesOf(context: NodeContext, rank: number): number[] {
  const axes = context.attributes.ints('axes');
  return axes
    ? axes.map((axis) => normalizeAxis(axis, rank))
    : Array.from({ length: rank }, (_, axis) => axis);
}

function scaleDim(dim: Dim, scale: number): Dim {
  if (typeof dim === 'number') return Math.floor(Math.fround(dim * Math.fround(scale)));
  if (Number.isInteger(scale)) return mulDims(dim, scale);
  return Number.isInteger(1 / scale) ? floorDivDim(dim, 1 / scale) : null;
}

function resizedShape(context: InferContext): Shape | undefined {
  const shape = shapeOf(context, 0);
  if (shape === undefined) return undefined;
  const places = inputsOf(context);
  const axes = axesOf(context, shape.length);
  const sizes = context.values[places.sizes]?.elements;
  const scales = context.attributes.floats('scales') ?? knownNumbers(context.values[places.scales]);
  const stretch = context.attributes.string('keep_aspect_ratio_policy', 'stretch') === 'stretch';
  return shape.map((dim, axis) => {
    const at = axes.indexOf(axis);
    if (at < 0) return dim;
    if (sizes && sizes.length > 0) return stretch ? (sizes[at] ?? null) : null;
    const scale = scales?.[at];
    return scale === undefined ? null : scaleDim(dim, scale);
  });
}

/** Maps an output coordinate to an input coordinate (the names are ONNX's). */
const COORDINATES: Readonly<
  Record<string, ((x: number, scale: number, from: number, to: number) => number) | undefined>
> = {
  half_pixel: (x, scale) => (x + 0.5) / scale - 0.5,
  half_pixel_symmetric: (x, scale, from, to) => {
    const adjustment = to / (scale * from);
    return (from / 2) * (1 - adjustment) + (x + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (x, scale, _, to) => (to > 1 ? (x + 0.5) / scale - 0.5 : 0),
  align_corners: (x, _, from, to) => (to === 1 ? 0 : (x * (from - 1)) / (to - 1)),
  asymmetric: (x, scale) => x / scale,
};

const NEAREST: Readonly<Record<string, ((x: number) => number) | undefined>> = {
  round_prefer_floor: (x) => (x % 1 === 0.5 ? Math.floor(x) : Math.round(x)),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

function setting<T>(
  context: NodeContext,
  table: Readonly<Record<string, T | undefined>>,
  name: string,
  value: string,
): T {
  const found = table[value];
  if (found !== undefined) return found;
  throw new CompilerError(
    'unsupported',
    `${context.node.opType} with ${name} "${value}" cannot be evaluated.`,
    {
      hint: `Known are ${Object.keys(table).join(', ')}.`,
    },
  );
}

function cubicWeights(t: number, a: number): number[] {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** For each output coordinate of an axis, where it reads. */
function tapsFor(context: NodeContext, from: number, to: number, scale: number): Taps[] {
  const { attributes } = context;
  const old = context.opset < 11 || context.node.opType === 'Upsample';
  const coordinate = setting(
    context,
    COORDINATES,
    'coordinate_transformation_mode',
    attributes.string('coordinate_transformation_mode', old ? 'asymmetric' : 'half_pixel'),
  );
  const mode = attributes.string('mode', 'nearest');
  const rounding = setting(
    context,
    NEAREST,
    'nearest_mode',
    attributes.string('nearest_mode', old ? 'floor' : 'round_prefer_floor'),
  );
  const clamp = (x: number): number => Math.min(Math.max(x, 0), from - 1);
  return Array.from({ length: to }, (_, x): Taps => {
    const at = coordinate(x, scale, from, to);
    if (mode === 'nearest') return { positions: [clamp(rounding(at))], weights: [1] };
    const floor = Math.floor(at);
    if (mode === 'linear') {
      const rest = at - floor;
      return { positions: [clamp(floor), clamp(floor + 1)], weights: [1 - rest, rest] };
    }
    return cubicTaps(context, at, from);
  });
}

function cubicTaps({ attributes }: NodeContext, at: number, from: number): Taps {
  const floor = Math.floor(at);
  const positions = [floor - 1, floor, floor + 1, floor + 2];
  const weights = cubicWeights(at - floor, attributes.float('cubic_coeff_a', -0.75));
  const clamped = positions.map((position) => Math.min(Math.max(position, 0), from - 1));
  if (attributes.int('exclude_outside', 0) !== 1) return { positions: clamped, weights };
  const kept = weights.map((weight, i) => (positions[i] === clamped[i] ? weight : 0));
  const total = kept.reduce((sum, weight) => sum + weight, 0);
  return { positions: clamped, weights: kept.map((weight) => weight / total) };
}

function resampleAxis(array: NdArray, axis: number, taps: readonly Taps[]): NdArray {
  const { outer, extent, inner } = aroundAxis(array.dims, axis);
  const dims = array.dims.map((dim, position) => (position === axis ? taps.length : dim));
  const from = asNumbers(array);
  const data = new Float64Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [x, { positions, weights }] of taps.entries()) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let t = 0; t < positions.length; t++) {
          sum +=
            (weights[t] as number) * (from[(o * extent + (positions[t] as number)) * inner + i] as number);
        }
        data[(o * taps.length + x) * inner + i] = sum;
      }
    }
  }
  return { dtype: array.dtype, dims, data };
}

/** Target extents and scales of the axes that are resized. */
function targets(
  context: EvaluateContext,
  dims: readonly number[],
): { axis: number; to: number; scale: number }[] {
  const places = inputsOf(context);
  const axes = axesOf(context, dims.length);
  const sizesInput = context.inputs[places.sizes];
  const scalesInput = context.inputs[places.scales];
  const from = (axis: number): number => dims[axis] as number;
  if (sizesInput && sizesInput.data.length > 0) {
    const sizes = toNumbers(sizesInput);
    const ratios = axes.map((axis, i) => (sizes[i] as number) / from(axis));
    const policy = context.attributes.string('keep_aspect_ratio_policy', 'stretch');
    const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
    return axes.map((axis, i) =>
      policy === 'stretch'
        ? { axis, to: sizes[i] as number, scale: ratios[i] as number }
        : { axis, to: roundHalfUp(common * from(axis)), scale: common },
    );
  }
  const scales = context.attributes.floats('scales') ?? (scalesInput ? toNumbers(scalesInput) : []);
  return axes.map((axis, i) => ({
    axis,
    // In float32, as onnxruntime: 5 · 1.4 is 7.
    to: Math.floor(Math.fround(from(axis) * (scales[i] as number))),
    scale: scales[i] as number,
  }));
}

function roundHalfUp(x: number): number {
  return Math.floor(x + 0.5);
}

function resize(opType: string, since: number, inputs: readonly [number, number]): OpDefinition {
  return {
    domain: '',
    opType,
    since,
    inputs,
    infer: (context) => [tensorType(dtypeOf(context, 0), resizedShape(context))],
    evaluate(context) {
      if (context.attributes.int('antialias', 0) === 1) {
        throw new CompilerError('unsupported', 'Resize with antialias cannot be evaluated.');
      }
      const x = context.input(0);
      const sampled = targets(context, x.dims).reduce(
        (array, { axis, to, scale }) =>
          scale === 1 && to === array.dims[axis]
            ? array
            : resampleAxis(array, axis, tapsFor(context, array.dims[axis] as number, to, scale)),
        x,
      );
      return [sampled === x ? x : narrowed(sampled, x)];
    },
  };
}

/** Back to the element type of the input; integers round. */
function narrowed(array: NdArray, like: NdArray): NdArray {
  const floats = like.data instanceof Float32Array || like.data instanceof Float64Array;
  const data = allocate(like.dtype, array.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = array.data[i] as number;
    data[i] = floats ? value : roundHalfEven(value);
  }
  return { ...array, data };
}

/** Resampling operators of ai.onnx. */
export const resizeOps: readonly OpDefinition[] = [
  resize('Resize', 10, [1, 4]),
  { ...resize('Upsample', 7, [1, 2]), until: 10 },
];
