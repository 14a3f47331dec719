import { addDims, type Dim } from '../ir/index.ts';
import { aroundAxis, normalizeAxis } from './indexing.ts';
import { dtypeOf, optionalNumbers, shapeOf, tensorType } from './inference.ts';
import { allocate, toNumbers, type NdArray } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';

/** Pads before and after each axis: an attribute up to version 10, input 1 since; version 18 may name axes. */
function padAmounts(
  context: InferContext,
  rank: number,
): { before: readonly Dim[]; after: readonly Dim[] } | undefined {
  const pads = context.attributes.ints('pads') ?? context.values[1]?.elements;
  const axesGiven = optionalNumbers(context, 3);
  if (pads === undefined || axesGiven === 'unknown') return undefined;
  const axes = axesGiven?.map((axis) => normalizeAxis(axis, rank)) ?? [...Array(rank).keys()];
  const before: Dim[] = Array.from({ length: rank }, () => 0);
  const after: Dim[] = Array.from({ length: rank }, () => 0);
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads[i] ?? null;
    after[axis] = pads[i + axes.length] ?? null;
  }
  return { before, after };
}

const pad: OpDefinition = {
  domain: '',
  opType: 'Pad',
  since: 2,
  inputs: [1, 4],
  infer(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    const amounts = padAmounts(context, shape.length);
    return [
      tensorType(
        dtypeOf(context, 0),
        shape.map((dim, axis) =>
          addDims(addDims(dim, amounts?.before[axis] ?? null), amounts?.after[axis] ?? null),
        ),
      ),
    ];
  },
  evaluate(context) {
    const array = context.input(0);
    const rank = array.dims.length;
    const given = context.inputs[1];
    const pads = context.attributes.ints('pads') ?? (given ? toNumbers(given) : []);
    const axes = (context.inputs[3] ? toNumbers(context.inputs[3]) : [...array.dims.keys()]).map((axis) =>
      normalizeAxis(axis, rank),
    );
    const mode = context.attributes.string('mode', 'constant');
    const fill = context.inputs[2]?.data[0] ?? context.attributes.float('value', 0);
    return [
      axes.reduce(
        (padded, axis, i) =>
          padAxis(padded, axis, pads[i] as number, pads[i + axes.length] as number, mode, fill),
        array,
      ),
    ];
  },
};

/** Negative amounts cut. */
function padAxis(
  array: NdArray,
  axis: number,
  before: number,
  after: number,
  mode: string,
  fill: number | bigint,
): NdArray {
  if (before === 0 && after === 0) return array;
  const { outer, extent, inner } = aroundAxis(array.dims, axis);
  const length = extent + before + after;
  const dims = array.dims.map((dim, position) => (position === axis ? length : dim));
  const data = allocate(array.dtype, outer * length * inner) as Float64Array;
  const from = array.data as Float64Array;
  const zero = (typeof data[0] === 'bigint' ? BigInt(fill) : Number(fill)) as number;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      const source = paddedSource(k - before, extent, mode);
      const to = (o * length + k) * inner;
      if (source === undefined) data.fill(zero, to, to + inner);
      else data.set(from.subarray((o * extent + source) * inner, (o * extent + source + 1) * inner), to);
    }
  }
  return { dtype: array.dtype, dims, data };
}

function paddedSource(position: number, extent: number, mode: string): number | undefined {
  if (position >= 0 && position < extent) return position;
  if (mode === 'edge') return position < 0 ? 0 : extent - 1;
  if (mode === 'wrap') return ((position % extent) + extent) % extent;
  if (mode !== 'reflect') return undefined;
  const period = 2 * (extent - 1);
  const folded = period === 0 ? 0 : ((position % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

/** Adding elements around a tensor. */
export const padOps: readonly OpDefinition[] = [pad];
