import { float32Tensor, typedData, type Float32Tensor, type Node } from '../../ir/index.ts';
import { intAttribute, intsAttribute } from '../../transforms/node-attributes.ts';
import { isEdgewise } from '../../transforms/edgewise-node.ts';
import type { WeightRange } from '../weights/choose-scale.ts';
import { fitPairs, settlePairs } from '../weights/fit-pairs.ts';
import { roundHalfEven, WEIGHT_GRIDS } from '../grids/integer-grid.ts';
import { errorOfWeight, type QuantizationError } from '../grids/quantization-error.ts';
import { columnsOf, weightNoise } from './layer-noise.ts';
import type { PatchMoments } from '../statistics/patch-moments.ts';
import { quantizeColumns } from '../weights/quantize-columns.ts';
import { roundColumns } from '../weights/round-second-order.ts';
import { unitFactor } from '../weights/unit-factor.ts';
import type { ValueStatistics } from '../statistics/value-statistics.ts';

export interface LayerInput {
  readonly node: Node;
  /** float32 [M, C/group, …] of a Conv, [K, N] of a Linear. */
  readonly weight: Float32Tensor;
  readonly bias: Float32Tensor | undefined;
  /** Scale of the 8-bit input. */
  readonly xScale: number;
  /** What its filters read; undefined without statistics. */
  readonly patches: PatchMoments | undefined;
  /** What the samples showed of its input and of its output. */
  readonly input: ValueStatistics | undefined;
  readonly output: ValueStatistics | undefined;
  readonly correctBias: boolean;
  /** Whether the weights of a filter are rounded for the least error of the output together, rather than each to its nearest. */
  readonly together: boolean;
  /** Extents [N, C, …] of the input and of the output, for the share of a cell's reads that are padding. */
  readonly shapes: { readonly x: readonly number[]; readonly y: readonly number[] };
  readonly bits: 7 | 8;
  readonly range: WeightRange;
}

export interface QuantizedLayer {
  /** Laid out as the float weight. */
  readonly weight: Int8Array;
  /** One per output channel. */
  readonly scale: Float32Array;
  /** In steps of xScale·scale. */
  readonly bias: Int32Array;
  readonly error: QuantizationError;
  /** Share of its output that the rounding of its weights is, 0 … 1; undefined without statistics. */
  readonly weightNoise: number | undefined;
}

/** The bias may take this much of an int32; sums of products need the rest. */
const LARGEST_BIAS = 2 ** 30;

/** Symmetric int8 weights with one scale per output channel and an int32 bias. */
export function quantizeLayer(layer: LayerInput): QuantizedLayer {
  const { xScale, bits, range } = layer;
  const filters = filtersAsColumns(layer);
  const [length = 0, count = 0] = filters.dims;
  const floats = typedData(filters);
  const { values, scale, error } = quantizeColumns(filters, { bits, range });
  const bias = new Int32Array(count);
  const expected = expectedInputs(layer, length);
  for (let m = 0; m < count; m++) {
    const wanted = (layer.bias && typedData(layer.bias)[m]) ?? 0;
    const least = leastScale(floats, m, count, wanted, xScale);
    if (scale[m]! < least.scale || least.isEmpty) {
      scale[m] = least.scale;
      roundColumn(floats, values, m, count, least.scale, bits);
    }
  }
  const pairs = { floats, values, scale, taps: tapsOf(layer) };
  const isPaired = bits === 8 && length > pairs.taps;
  if (isPaired) fitPairs(pairs);
  if (layer.together && layer.patches) roundTogether(floats, values, scale, layer.patches, layer);
  if (isPaired) settlePairs(pairs);
  for (let m = 0; m < count; m++) {
    const wanted = (layer.bias && typedData(layer.bias)[m]) ?? 0;
    let shift = 0;
    for (let i = 0; expected !== undefined && i < length; i++) {
      const at = i * count + m;
      shift += (floats[at]! - values[at]! * scale[m]!) * expected(m, i);
    }
    bias[m] = roundHalfEven((wanted + shift) / (xScale * scale[m]!));
  }
  const { node, patches, output } = layer;
  const errors = floats.map((w, at) => w - values[at]! * scale[at % count]!);
  return {
    weight: isEdgewise(node, 'Conv') ? turned(values, length, count) : values,
    scale,
    bias,
    error: isPaired ? errorOfWeight(floats, values, scale, error.clippedShare) : error,
    weightNoise: patches && output && weightNoise(errors, patches, output),
  };
}

/** Positions of a kernel, which lie between one input channel and the next. */
function tapsOf({ node, weight }: LayerInput): number {
  if (!isEdgewise(node, 'Conv')) return 1;
  return weight.dims.slice(2).reduce((product, extent) => product * extent, 1);
}

/** What the bias makes up for does not count: errors are weighed by the covariance of what is read. */
function roundTogether(
  floats: Float32Array,
  values: Int8Array,
  scale: Float32Array,
  { groups }: PatchMoments,
  { bits, correctBias }: LayerInput,
): void {
  const count = scale.length;
  const perGroup = count / groups.length;
  for (const [g, group] of groups.entries()) {
    const first = g * perGroup;
    const factor = unitFactor(correctBias ? group.covariance() : group.matrix(), group.width);
    const columns = columnsOf(floats, count, first, perGroup);
    const rounded = roundColumns(
      columns,
      scale.subarray(first, first + perGroup),
      WEIGHT_GRIDS[bits],
      factor,
    );
    for (let from = 0, to = first; from < columns.length; from += perGroup, to += count)
      values.set(rounded.values.subarray(from, from + perGroup), to);
  }
}

/** The scale below which a bias would not fit; a filter without weights only has to be fine enough for its bias. */
function leastScale(
  floats: Float32Array,
  column: number,
  columns: number,
  bias: number,
  xScale: number,
): { scale: number; isEmpty: boolean } {
  let isEmpty = true;
  for (let at = column; at < floats.length && isEmpty; at += columns) isEmpty = floats[at] === 0;
  const scale = isEmpty
    ? Math.max(Math.abs(bias), 1) / (2 ** 20 * xScale)
    : Math.abs(bias) / (LARGEST_BIAS * xScale);
  return { scale: Math.fround(scale), isEmpty };
}

function roundColumn(
  floats: Float32Array,
  values: Int8Array,
  column: number,
  columns: number,
  scale: number,
  bits: 7 | 8,
): void {
  const { low, high } = WEIGHT_GRIDS[bits];
  for (let at = column; at < floats.length; at += columns) {
    values[at] = Math.max(low, Math.min(high, roundHalfEven(floats[at]! / scale)));
  }
}

/** [weights of a filter, filters]: a Linear's weight is that already. */
function filtersAsColumns({ node, weight }: LayerInput): LayerInput['weight'] {
  if (!isEdgewise(node, 'Conv')) return weight;
  const [filters = 0] = weight.dims;
  const values = typedData(weight);
  const length = values.length / filters;
  return float32Tensor([length, filters], turned(values, filters, length)) as LayerInput['weight'];
}

/** A matrix [rows, columns] as [columns, rows]. */
function turned<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const out = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column]!;
  }
  return out;
}

/**
 * What cell i of filter m meets on average: the mean of its input channel times the share of its reads that are not padding. The
 * rounding of weights shifts a channel's mean by Σ (w − ŵ)·E[x]; the bias takes that back (Nagel et al., "Data-free quantization
 * through weight equalization and bias correction", 2019, section 4.2, with measured means).
 */
function expectedInputs(layer: LayerInput, length: number): ((m: number, i: number) => number) | undefined {
  const { node, input, weight } = layer;
  if (!layer.correctBias || input === undefined) return undefined;
  const { means } = input;
  if (!isEdgewise(node, 'Conv')) return means.length === length ? (_, i) => means[i]! : undefined;
  const [filters = 1, perGroup = 1, ...kernel] = weight.dims;
  const group = intAttribute(node, 'group', 1);
  const cells = cellShares(node, kernel, layer.shapes);
  return (m, i) => {
    const channel = Math.floor(m / (filters / group)) * perGroup + Math.floor(i / cells.length);
    return means[channel]! * cells[i % cells.length]!;
  };
}

function cellShares(node: Node, kernel: readonly number[], { x, y }: LayerInput['shapes']): number[] {
  const pads = intsAttribute(node, 'pads');
  const strides = intsAttribute(node, 'strides');
  const dilations = intsAttribute(node, 'dilations');
  let shares = [1];
  for (const [axis, size] of kernel.entries()) {
    const [extent, steps] = [x[axis + 2] ?? 1, y[axis + 2] ?? 1];
    const inside = Array.from({ length: size }, (_, tap) => {
      let count = 0;
      for (let step = 0; step < steps; step++) {
        const at = step * (strides?.[axis] ?? 1) + tap * (dilations?.[axis] ?? 1) - (pads?.[axis] ?? 0);
        if (at >= 0 && at < extent) count++;
      }
      return count / steps;
    });
    shares = shares.flatMap((share) => inside.map((part) => share * part));
  }
  return shares;
}
