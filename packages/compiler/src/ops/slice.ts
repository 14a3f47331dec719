import { CompilerError } from '../diagnostics/index.ts';
import { addDims, subDims, type Dim } from '../ir/index.ts';
import { normalizeAxis, stridedIndex, stridesOf, take } from './indexing.ts';
import { dtypeOf, optionalNumbers, shapeOf, tensorType, unknownDims } from './inference.ts';
import { toNumbers } from './nd-array.ts';
import type { InferContext, OpDefinition } from './op-definition.ts';

interface SliceRange {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/** Attributes up to version 9, inputs since; undefined when axes or steps are not known. */
function sliceRanges(context: InferContext, rank: number): SliceRange[] | undefined {
  const attribute = (name: string): Dim[] | undefined => context.attributes.ints(name);
  const old = context.opset < 10;
  const starts = old ? attribute('starts') : context.values[1]?.elements;
  const ends = old ? attribute('ends') : context.values[2]?.elements;
  const count = starts?.length ?? ends?.length ?? constantLength(context);
  if (count === undefined) return undefined;
  const axesGiven = old ? context.attributes.ints('axes') : optionalNumbers(context, 3);
  const stepsGiven = old ? undefined : optionalNumbers(context, 4);
  if (axesGiven === 'unknown' || stepsGiven === 'unknown') return undefined;
  return Array.from({ length: count }, (_, i) => ({
    axis: normalizeAxis(axesGiven?.[i] ?? i, rank),
    start: starts?.[i] ?? null,
    end: ends?.[i] ?? null,
    step: stepsGiven?.[i] ?? 1,
  }));
}

function constantLength(context: InferContext): number | undefined {
  const [length] = shapeOf(context, 1) ?? shapeOf(context, 2) ?? [];
  return typeof length === 'number' ? length : undefined;
}

/** A slice that ends at a symbol is taken to fit its axis; bounds may show that it does not. */
function checkReach(context: InferContext, dim: Dim, { end }: SliceRange): void {
  if (typeof dim !== 'number' || typeof end !== 'string') return;
  const reach = context.bound(end)?.max ?? 0;
  if (reach > dim)
    context.problem(`the slice ends at ${end}, up to ${reach}, but the axis has ${dim} elements`);
}

/** The extent of a slice. Ends beyond ±2^30 mean "to the end", whatever the dim is. */
function slicedDim(dim: Dim, { start, end, step }: SliceRange): Dim {
  if (typeof dim === 'number' && typeof start === 'number' && typeof end === 'number') {
    return sliceExtent(dim, start, end, step).count;
  }
  if (dim === null || start === null || end === null) return null;
  if (step === -1 && isFar(start, 1, dim) && isFar(end, -1, dim)) return dim;
  if (step !== 1) return null;
  const from = fromStart(start, dim);
  const to = isFar(end, 1, dim) ? dim : fromStart(end, dim);
  // A dim that is at least as large as a constant slice bound is what exports rely on (position tables, masks).
  return subDims(to, from);
}

const FAR = 2 ** 30;

function isFar(bound: Dim, sign: 1 | -1, dim: Dim): boolean {
  if (bound === dim) return sign === 1;
  if (typeof bound !== 'number') return false;
  return sign === 1 ? bound >= FAR || bound === -1 : bound <= -FAR;
}

function fromStart(bound: Dim, dim: Dim): Dim {
  return typeof bound === 'number' && bound < 0 ? addDims(dim, bound) : bound;
}

/** Where a slice of one axis begins and how many elements it has (numpy rules). */
function sliceExtent(dim: number, start: number, end: number, step: number): { from: number; count: number } {
  const clamp = (bound: number, low: number, high: number): number =>
    Math.min(Math.max(bound < 0 ? bound + dim : bound, low), high);
  const from = step > 0 ? clamp(start, 0, dim) : clamp(start, -1, dim - 1);
  const to = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
  return { from, count: Math.max(0, Math.ceil((to - from) / step)) };
}

const slice: OpDefinition = {
  domain: '',
  opType: 'Slice',
  since: 1,
  inputs: [1, 5],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    const ranges = sliceRanges(context, shape.length);
    if (ranges === undefined) return [tensorType(dtypeOf(context, 0), unknownDims(shape.length))];
    const byAxis = new Map(ranges.map((range) => [range.axis, range]));
    const dims = shape.map((dim, axis) => {
      const range = byAxis.get(axis);
      if (range === undefined) return dim;
      checkReach(context, dim, range);
      return slicedDim(dim, range);
    });
    return [tensorType(dtypeOf(context, 0), dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const old = context.opset < 10;
    const numbers = (index: number, name: string): number[] | undefined => {
      const input = context.inputs[index];
      return old ? context.attributes.ints(name) : input && toNumbers(input);
    };
    const starts = numbers(1, 'starts') ?? [];
    const ends = numbers(2, 'ends') ?? [];
    const axes = numbers(3, 'axes');
    const steps = old ? undefined : numbers(4, 'steps');
    const strides = stridesOf(array.dims);
    const dims = [...array.dims];
    let offset = 0;
    for (const [i, start] of starts.entries()) {
      const axis = normalizeAxis(axes?.[i] ?? i, dims.length);
      const step = steps?.[i] ?? 1;
      if (step === 0) throw new CompilerError('invalid-graph', 'Slice has a step of 0.');
      const { from, count } = sliceExtent(array.dims[axis] as number, start, ends[i] as number, step);
      offset += from * (strides[axis] as number);
      strides[axis] = (strides[axis] as number) * step;
      dims[axis] = count;
    }
    return [take(array, stridedIndex(dims, strides, offset), dims)];
  },
};

/** Taking a regular part of a tensor. */
export const sliceOps: readonly OpDefinition[] = [slice];
