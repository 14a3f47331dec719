import type { Dim, Shape } from '../ir/index.ts';
import { addDims, divDims, elementCount, mulDims, productDim, subDims } from '../ir/index.ts';
import { CompilerError } from '../diagnostics/index.ts';
import {
  broadcastDims,
  broadcastTo,
  normalizeAxis,
  stridedIndex,
  stridesOf,
  take,
  transpose,
  aroundAxis,
} from './indexing.ts';
import {
  axisOf,
  broadcastShapes,
  dtypeOf,
  firstDtype,
  inferAxes,
  inferSame,
  knownNumbers,
  shapeOf,
  tensorType,
  unknownDims,
  withDim,
} from './inference.ts';
import { allocate, ndArray, toNumbers, type NdArray } from './nd-array.ts';
import type { EvaluateContext, InferContext, OpDefinition } from './op-definition.ts';

/** Axes from the attribute (older versions) or from input 1; undefined when neither is given. */
function evaluateAxes(context: EvaluateContext): number[] | undefined {
  const input = context.inputs[1];
  return context.attributes.ints('axes') ?? (input && toNumbers(input));
}

function reshaped(array: NdArray, dims: readonly number[]): NdArray {
  return ndArray(array.dtype, dims, array.data);
}

const reshape: OpDefinition = {
  domain: '',
  opType: 'Reshape',
  since: 5,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    return [tensorType(dtypeOf(context, 0), reshapedShape(context))];
  },
  evaluate(context) {
    const array = context.input(0);
    const target = toNumbers(context.input(1));
    const copyZero = context.attributes.int('allowzero', 0) === 0;
    const dims = target.map((dim, axis) => (dim === 0 && copyZero ? (array.dims[axis] as number) : dim));
    const rest = dims.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
    return [
      reshaped(
        array,
        dims.map((dim) => (dim === -1 ? array.data.length / rest : dim)),
      ),
    ];
  },
};

/** The target's elements are dims; −1 is what remains of the element count, 0 copies the input's dim. */
function reshapedShape(context: InferContext): Shape | undefined {
  const target = context.values[1];
  const shape = shapeOf(context, 0);
  if (target === undefined) {
    const [rank] = shapeOf(context, 1) ?? [];
    return typeof rank === 'number' ? unknownDims(rank) : undefined;
  }
  const copyZero = context.attributes.int('allowzero', 0) === 0;
  const dims = target.elements.map((dim, axis) => (dim === 0 && copyZero ? (shape?.[axis] ?? null) : dim));
  if (!dims.includes(-1)) return shape === undefined ? dims : completeDim(dims, shape);
  const rest = productDim(dims.filter((dim) => dim !== -1));
  const extent =
    shape === undefined ? null : (divDims(productDim(shape), rest) ?? divideByParts(shape, dims));
  return dims.map((dim) => (dim === -1 ? extent : dim));
}

/** The one unknown dim of a target follows from the element count. */
function completeDim(dims: Shape, shape: Shape): Shape {
  if (dims.filter((dim) => dim === null).length !== 1) return dims;
  const extent = divDims(productDim(shape), productDim(dims.filter((dim) => dim !== null)));
  return dims.map((dim) => dim ?? extent);
}

/** When a leading dim is unknown on both sides but the same, the rest may still divide. */
function divideByParts(shape: Shape, dims: Shape): Dim {
  const rest: Dim[] = [...shape];
  for (const dim of dims) {
    const at = dim === -1 || dim === null ? -1 : rest.indexOf(dim);
    if (at >= 0) rest[at] = 1;
  }
  const others = dims.filter((dim) => dim !== -1 && !shape.includes(dim));
  return divDims(productDim(rest), productDim(others));
}

const transposeOp: OpDefinition = {
  domain: '',
  opType: 'Transpose',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const order = context.attributes.ints('perm') ?? shape?.map((_, axis) => shape.length - 1 - axis);
    return [
      tensorType(
        dtypeOf(context, 0),
        order?.map((axis) => shape?.[axis] ?? null),
      ),
    ];
  },
  evaluate(context) {
    const array = context.input(0);
    const order = context.attributes.ints('perm') ?? [...array.dims.keys()].toReversed();
    return [transpose(array, order)];
  },
};

const squeeze: OpDefinition = {
  domain: '',
  opType: 'Squeeze',
  since: 1,
  inputs: [1, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const axes = inferAxes(context, 1);
    if (shape === undefined || axes === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    if (axes === 'none') {
      const known = shape.every((dim) => typeof dim === 'number');
      return [tensorType(dtypeOf(context, 0), known ? shape.filter((dim) => dim !== 1) : undefined)];
    }
    const gone = new Set(axes.map((axis) => axisOf(context, axis, shape.length)));
    return [
      tensorType(
        dtypeOf(context, 0),
        shape.filter((_, axis) => !gone.has(axis)),
      ),
    ];
  },
  evaluate(context) {
    const array = context.input(0);
    const axes = evaluateAxes(context);
    const gone = new Set(axes?.map((axis) => normalizeAxis(axis, array.dims.length)));
    const dims = array.dims.filter((dim, axis) => (axes === undefined ? dim !== 1 : !gone.has(axis)));
    return [reshaped(array, dims)];
  },
};

/** Inserts ones so that they end up at these positions of the result. */
function insertOnes<T>(dims: readonly T[], axes: readonly number[], one: T): T[] {
  const rank = dims.length + axes.length;
  const inserted = new Set(axes.map((axis) => normalizeAxis(axis, rank)));
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? one : (rest.shift() as T)));
}

const unsqueeze: OpDefinition = {
  domain: '',
  opType: 'Unsqueeze',
  since: 1,
  inputs: [1, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const axes = inferAxes(context, 1);
    if (shape === undefined || axes === undefined || axes === 'none') {
      return [tensorType(dtypeOf(context, 0), undefined)];
    }
    return [tensorType(dtypeOf(context, 0), insertOnes<Dim>(shape, axes, 1))];
  },
  evaluate(context) {
    const array = context.input(0);
    return [reshaped(array, insertOnes(array.dims, evaluateAxes(context) ?? [], 1))];
  },
};

const flatten: OpDefinition = {
  domain: '',
  opType: 'Flatten',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [tensorType(dtypeOf(context, 0), [null, null])];
    const axis = context.attributes.int('axis', 1);
    const at = axis < 0 ? axis + shape.length : axis;
    return [tensorType(dtypeOf(context, 0), [productDim(shape.slice(0, at)), productDim(shape.slice(at))])];
  },
  evaluate(context) {
    const array = context.input(0);
    const axis = context.attributes.int('axis', 1);
    const at = axis < 0 ? axis + array.dims.length : axis;
    return [reshaped(array, [elementCount(array.dims.slice(0, at)), elementCount(array.dims.slice(at))])];
  },
};

const concat: OpDefinition = {
  domain: '',
  opType: 'Concat',
  since: 4,
  inputs: [1, Infinity],
  moves: [0],
  infer(context) {
    const shapes = context.node.inputs.map((_, index) => shapeOf(context, index));
    const rank = shapes.find((shape) => shape !== undefined)?.length;
    const axis = rank === undefined ? undefined : axisOf(context, context.attributes.int('axis'), rank);
    if (rank === undefined || axis === undefined) return [tensorType(firstDtype(context), undefined)];
    const dims = Array.from({ length: rank }, (_, position): Dim => {
      const parts = shapes.map((shape) => shape?.[position] ?? null);
      if (position === axis) return parts.reduce((total, part) => addDims(total, part), 0);
      return parts.find((part) => typeof part === 'number') ?? parts.find((part) => part !== null) ?? null;
    });
    return [tensorType(firstDtype(context), dims)];
  },
  evaluate: (context) => [
    concatenate(
      context.node.inputs.map((_, index) => context.input(index)),
      context.attributes.int('axis'),
    ),
  ],
};

/** Joins arrays that agree in all dims but one. */
export function concatenate(parts: readonly NdArray[], axis: number): NdArray {
  const first = parts[0] as NdArray;
  const at = normalizeAxis(axis, first.dims.length);
  const total = parts.reduce((sum, part) => sum + (part.dims[at] as number), 0);
  const dims = first.dims.map((dim, position) => (position === at ? total : dim));
  const data = allocate(first.dtype, elementCount(dims));
  const outer = elementCount(dims.slice(0, at));
  const row = elementCount(dims.slice(at));
  let start = 0;
  for (const part of parts) {
    const width = outer === 0 ? 0 : part.data.length / outer;
    const from = part.data as Float64Array;
    for (let o = 0; o < outer; o++) {
      (data as Float64Array).set(from.subarray(o * width, (o + 1) * width), o * row + start);
    }
    start += width;
  }
  return { dtype: first.dtype, dims, data };
}

/** Part of an array along one axis, `from` included, `to` not. */
export function sliceAxis(array: NdArray, axis: number, from: number, to: number): NdArray {
  const strides = stridesOf(array.dims);
  const dims = array.dims.map((dim, position) => (position === axis ? to - from : dim));
  return take(array, stridedIndex(dims, strides, from * (strides[axis] as number)), dims);
}

const split: OpDefinition = {
  domain: '',
  opType: 'Split',
  since: 2,
  inputs: [1, 2],
  outputs: [1, Infinity],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const count = context.node.outputs.length;
    const axis = shape && axisOf(context, context.attributes.int('axis', 0), shape.length);
    if (shape === undefined || axis === undefined) {
      return context.node.outputs.map(() => tensorType(dtypeOf(context, 0), undefined));
    }
    const sizes = context.node.inputs[1] ? context.values[1]?.elements : context.attributes.ints('split');
    const extent = shape[axis] ?? null;
    const even = typeof extent === 'number' ? equalParts(extent, count) : undefined;
    return context.node.outputs.map((_, index) => {
      const part = sizes
        ? (sizes[index] ?? null)
        : context.node.inputs[1]
          ? null
          : (even?.[index] ?? divDims(extent, count));
      return tensorType(dtypeOf(context, 0), withDim(shape, axis, part));
    });
  },
  evaluate(context) {
    const array = context.input(0);
    const axis = normalizeAxis(context.attributes.int('axis', 0), array.dims.length);
    const input = context.inputs[1];
    const sizes =
      (input && toNumbers(input)) ??
      context.attributes.ints('split') ??
      equalParts(array.dims[axis] as number, context.node.outputs.length);
    let from = 0;
    return sizes.map((size) => {
      const part = sliceAxis(array, axis, from, from + size);
      from += size;
      return part;
    });
  },
};

/** Parts of ⌈extent/count⌉, the last one smaller when it does not divide. */
function equalParts(extent: number, count: number): number[] {
  const size = Math.ceil(extent / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(size, extent - i * size)));
}

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

function optionalNumbers(context: InferContext, index: number): number[] | undefined | 'unknown' {
  if (!context.node.inputs[index]) return undefined;
  return knownNumbers(context.values[index]) ?? 'unknown';
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

const expand: OpDefinition = {
  domain: '',
  opType: 'Expand',
  since: 8,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    const target = context.values[1]?.elements;
    const [rank] = shapeOf(context, 1) ?? [];
    const known = target ?? (typeof rank === 'number' ? unknownDims(rank) : undefined);
    return [tensorType(dtypeOf(context, 0), broadcastShapes(context, [shapeOf(context, 0), known]))];
  },
  evaluate(context) {
    const array = context.input(0);
    return [broadcastTo(array, broadcastDims(array.dims, toNumbers(context.input(1))))];
  },
};

const tile: OpDefinition = {
  domain: '',
  opType: 'Tile',
  since: 6,
  inputs: [2, 2],
  moves: [0],
  infer(context) {
    const shape = shapeOf(context, 0);
    const repeats = context.values[1]?.elements;
    return [
      tensorType(
        dtypeOf(context, 0),
        shape?.map((dim, axis) => mulDims(dim, repeats?.[axis] ?? null)),
      ),
    ];
  },
  evaluate(context) {
    const repeats = toNumbers(context.input(1));
    return [
      repeats.reduce(
        (array, count, axis) =>
          count === 1
            ? array
            : count === 0
              ? sliceAxis(array, axis, 0, 0)
              : concatenate(
                  Array.from({ length: count }, () => array),
                  axis,
                ),
        context.input(0),
      ),
    ];
  },
};

/** Shape's `start` and `end` attributes select a range of dims (version 15). */
function shapeRange(context: Pick<InferContext, 'attributes'>, rank: number): [number, number] {
  const clamp = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + rank : bound, 0), rank);
  return [clamp(context.attributes.int('start', 0)), clamp(context.attributes.int('end', rank))];
}

const shapeOp: OpDefinition = {
  domain: '',
  opType: 'Shape',
  since: 1,
  inputs: [1, 1],
  infer(context) {
    const shape = shapeOf(context, 0);
    const length = shape?.slice(...shapeRange(context, shape.length)).length ?? null;
    return [tensorType('int64', [length])];
  },
  propagate(context) {
    const shape = shapeOf(context, 0);
    if (shape === undefined) return [undefined];
    const elements = shape.slice(...shapeRange(context, shape.length));
    return [{ dtype: 'int64', dims: [elements.length], elements }];
  },
  evaluate(context) {
    const { dims } = context.input(0);
    const selected = dims.slice(...shapeRange(context, dims.length));
    return [ndArray('int64', [selected.length], BigInt64Array.from(selected, BigInt))];
  },
};

const size: OpDefinition = {
  domain: '',
  opType: 'Size',
  since: 1,
  inputs: [1, 1],
  infer: () => [tensorType('int64', [])],
  propagate(context) {
    const shape = shapeOf(context, 0);
    return [shape && { dtype: 'int64', dims: [], elements: [productDim(shape)] }];
  },
  evaluate: (context) => [ndArray('int64', [], BigInt64Array.of(BigInt(context.input(0).data.length)))],
};

const identity: OpDefinition = {
  domain: '',
  opType: 'Identity',
  since: 1,
  inputs: [1, 1],
  elementwise: true,
  moves: [0],
  infer: inferSame,
  evaluate: (context) => [context.input(0)],
};

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

const depthToSpace: OpDefinition = {
  domain: '',
  opType: 'DepthToSpace',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = shapeOf(context, 0) ?? unknownDims(4);
    const dims = [
      n ?? null,
      divDims(c ?? null, block * block),
      mulDims(h ?? null, block),
      mulDims(w ?? null, block),
    ];
    return [tensorType(dtypeOf(context, 0), dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = array.dims as [number, number, number, number];
    const depth = c / (block * block);
    const columnsFirst = context.attributes.string('mode', 'DCR') === 'CRD';
    const parts = columnsFirst ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w];
    const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
    return [reshaped(transpose(reshaped(array, parts), order), [n, depth, h * block, w * block])];
  },
};

const spaceToDepth: OpDefinition = {
  domain: '',
  opType: 'SpaceToDepth',
  since: 1,
  inputs: [1, 1],
  moves: [0],
  infer(context) {
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = shapeOf(context, 0) ?? unknownDims(4);
    const dims = [
      n ?? null,
      mulDims(c ?? null, block * block),
      divDims(h ?? null, block),
      divDims(w ?? null, block),
    ];
    return [tensorType(dtypeOf(context, 0), dims)];
  },
  evaluate(context) {
    const array = context.input(0);
    const block = context.attributes.int('blocksize');
    const [n, c, h, w] = array.dims as [number, number, number, number];
    const parts = reshaped(array, [n, c, h / block, block, w / block, block]);
    const moved = transpose(parts, [0, 3, 5, 1, 2, 4]);
    return [reshaped(moved, [n, c * block * block, h / block, w / block])];
  },
};

const trilu: OpDefinition = {
  domain: '',
  opType: 'Trilu',
  since: 14,
  inputs: [1, 2],
  infer: inferSame,
  evaluate(context) {
    const array = context.input(0);
    const shift = context.inputs[1] ? Number(context.inputs[1].data[0]) : 0;
    const upper = context.attributes.int('upper', 1) === 1;
    const [rows = 1, columns = 1] = array.dims.slice(-2);
    const data = array.data.slice() as Float64Array;
    const zero = (typeof data[0] === 'bigint' ? 0n : 0) as number;
    for (let i = 0; i < data.length; i++) {
      const distance = (i % columns) - (Math.floor(i / columns) % rows);
      if (upper ? distance < shift : distance > shift) data[i] = zero;
    }
    return [{ ...array, data }];
  },
};

/** Operators that look at shapes or rearrange elements. */
export const shapeOps: readonly OpDefinition[] = [
  reshape,
  transposeOp,
  squeeze,
  unsqueeze,
  flatten,
  concat,
  split,
  slice,
  expand,
  tile,
  shapeOp,
  size,
  identity,
  pad,
  depthToSpace,
  spaceToDepth,
  trilu,
];
