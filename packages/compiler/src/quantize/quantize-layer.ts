import { typedData, type DenseTensor, type Node } from '../ir/index.ts';
import { intAttribute, intsAttribute } from '../transforms/node-attributes.ts';
import { isEdgewise } from '../transforms/edgewise-node.ts';
import { chooseScale, type WeightRange } from './choose-scale.ts';
import { roundHalfEven, WEIGHT_GRIDS } from './integer-grid.ts';
import { ErrorTally, type QuantizationError } from './quantization-error.ts';
import { roundSpan } from './round-span.ts';

export interface LayerInput {
  readonly node: Node;
  /** float32 [M, C/group, …] of a Conv, [K, N] of a Linear. */
  readonly weight: DenseTensor & { dtype: 'float32' };
  readonly bias: (DenseTensor & { dtype: 'float32' }) | undefined;
  /** Scale of the 8-bit input. */
  readonly xScale: number;
  /** Mean of each input channel on the samples; without it the bias is not corrected. */
  readonly means: Float64Array | undefined;
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
}

/** The bias may take this much of an int32; sums of products need the rest. */
const LARGEST_BIAS = 2 ** 30;

/** Symmetric int8 weights with one scale per output channel and an int32 bias. */
export function quantizeLayer(layer: LayerInput): QuantizedLayer {
  const filters = filtersOf(layer);
  const { count, length } = filters;
  const grid = WEIGHT_GRIDS[layer.bits];
  const rows = new Int8Array(count * length);
  const scale = new Float32Array(count);
  const bias = new Int32Array(count);
  const tally = new ErrorTally();
  const alike = new Float32Array(length).fill(1);
  const expected = expectedInputs(layer, length);
  for (let m = 0; m < count; m++) {
    const span = { values: filters.values, from: m * length, to: (m + 1) * length };
    const wanted = (layer.bias && typedData(layer.bias)[m]) ?? 0;
    const step = Math.fround(
      Math.max(chooseFor(span, wanted, layer, alike), Math.abs(wanted) / (LARGEST_BIAS * layer.xScale)),
    );
    roundSpan(span, step, grid, rows, span.from, tally);
    let shift = 0;
    for (let i = 0; expected !== undefined && i < length; i++)
      shift += (filters.values[span.from + i]! - rows[span.from + i]! * step) * expected(m, i);
    scale[m] = step;
    bias[m] = roundHalfEven((wanted + shift) / (layer.xScale * step));
  }
  return { weight: filters.restore(rows), scale, bias, error: tally.result() };
}

/** Without weights the scale only has to be fine enough for the bias. */
function chooseFor(
  span: Parameters<typeof chooseScale>[0],
  bias: number,
  { bits, range, xScale }: LayerInput,
  importance: Float32Array,
): number {
  const isEmpty = span.values.subarray(span.from, span.to).every((value) => value === 0);
  if (isEmpty) return Math.max(Math.abs(bias), 1) / (2 ** 20 * xScale);
  return chooseScale(span, WEIGHT_GRIDS[bits], range, importance);
}

interface Filters {
  readonly values: Float32Array;
  readonly count: number;
  readonly length: number;
  readonly restore: (rows: Int8Array) => Int8Array;
}

/** Output channel after output channel; a Linear's [K, N] is turned and turned back. */
function filtersOf({ node, weight }: LayerInput): Filters {
  const values = typedData(weight);
  const [first = 0, second = 0] = weight.dims;
  if (isEdgewise(node, 'Conv'))
    return { values, count: first, length: values.length / first, restore: (rows) => rows };
  const turned = new Float32Array(values.length);
  for (let k = 0; k < first; k++)
    for (let n = 0; n < second; n++) turned[n * first + k] = values[k * second + n]!;
  return {
    values: turned,
    count: second,
    length: first,
    restore: (rows) => {
      const out = new Int8Array(rows.length);
      for (let k = 0; k < first; k++)
        for (let n = 0; n < second; n++) out[k * second + n] = rows[n * first + k]!;
      return out;
    },
  };
}

/**
 * What cell i of filter m meets on average: the mean of its input channel times the share of its reads that are not padding. The
 * rounding of weights shifts a channel's mean by Σ (w − ŵ)·E[x]; the bias takes that back (Nagel et al., "Data-free quantization
 * through weight equalization and bias correction", 2019, section 4.2, with measured means).
 */
function expectedInputs(layer: LayerInput, length: number): ((m: number, i: number) => number) | undefined {
  const { node, means, weight } = layer;
  if (means === undefined) return undefined;
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
