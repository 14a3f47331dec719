import { rowStride, type Rows, type Value } from './value.ts';

/** Positions along a dimension: `extent` of them, `stride` elements of the buffer apart. */
export interface Axis {
  readonly extent: Rows;
  readonly stride: number;
}

/**
 * A tensor of the graph: which elements of a buffer it consists of. What only moves elements (a reshape, a slice, a
 * transposition, …) makes a view; a copy is made where a kernel needs its operand in a layout of its own.
 */
export interface TensorView {
  readonly value: Value;
  readonly dims: readonly Rows[];
  /** Element of the buffer at position 0 of all dimensions. */
  readonly offset: number;
  /** Axes of each dimension, outermost first: a position is a number whose digits they are. Extents of 1 are left out. */
  readonly axes: readonly (readonly Axis[])[];
}

/** A loop of a copy: `extent` times, with steps in elements of both buffers. */
export interface CopyAxis {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

/** A copy into a buffer, loops outermost first: over rows of the target, and within a row. */
export interface CopyLoops {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly CopyAxis[];
  readonly columns: readonly CopyAxis[];
}

/** All of a buffer: dimension `columnDim` along its rows, the others over the rows in their order. */
export function viewRows(
  value: Value,
  dims: readonly Rows[],
  columnDim: number = dims.length - 1,
): TensorView {
  if (value.kind === 'dense') return denseRow(value, dims as number[]);
  let stride = rowStride(value);
  const axes = dims.map((): Axis[] => []);
  for (const [dim, extent] of [...dims.entries()].toReversed()) {
    if (extent === 1) continue;
    axes[dim] = [{ extent, stride: dim === columnDim ? 1 : stride }];
    if (dim !== columnDim && extent !== 'sequence') stride *= extent;
  }
  return { value, dims, offset: 0, axes };
}

/** All of a buffer that is one row without gaps, in the tensor's order. */
export function denseRow(value: Value, dims: readonly number[]): TensorView {
  let stride = 1;
  const axes = dims.map((): Axis[] => []);
  for (const [dim, extent] of [...dims.entries()].toReversed()) {
    if (extent > 1) axes[dim] = [{ extent, stride }];
    stride *= extent;
  }
  return { value, dims, offset: 0, axes };
}

/** The same positions in a buffer with as many rows and columns. */
export function restride(view: TensorView, value: Value): TensorView {
  const [before, after] = [rowStride(view.value), rowStride(value)];
  const axes = view.axes.map((list) =>
    list.map(({ extent, stride }) => ({
      extent,
      stride: stride < before ? stride : (stride / before) * after,
    })),
  );
  return { ...view, value, axes };
}

/** Whether two views of equal dimensions have their elements at the same places of their buffers. */
export function isSameLayout(a: TensorView, b: TensorView): boolean {
  if (a.offset !== b.offset) return false;
  return a.axes.every((list, dim) => {
    const [one, other] = [mergeAxes(list), mergeAxes(b.axes[dim]!)];
    return (
      one.length === other.length &&
      one.every(({ extent, stride }, i) => extent === other[i]!.extent && stride === other[i]!.stride)
    );
  });
}

/** Neighbouring axes that are one. */
function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    const isOne =
      outer !== undefined && axis.extent !== 'sequence' && outer.stride === axis.extent * axis.stride;
    if (isOne && outer.extent !== 'sequence') {
      merged[merged.length - 1] = {
        extent: outer.extent * (axis.extent as number),
        stride: axis.stride,
      };
    } else merged.push(axis);
  }
  return merged;
}

/** Whether a view has every element of the buffer's rows and columns, in whatever order. */
export function isWhole(view: TensorView): boolean {
  const { value, offset, axes } = view;
  if (value.kind === 'dense' || offset !== 0) return false;
  const width = rowStride(value);
  const rows = axes.flat().filter(({ stride }) => stride >= width);
  const columns = axes.flat().filter(({ stride }) => stride < width);
  return covers(rows, value.rows, width) && covers(columns, value.columns, 1);
}

function covers(axes: readonly Axis[], extent: Rows, stride: number): boolean {
  const ordered = mergeAxes(axes.toSorted((a, b) => b.stride - a.stride));
  if (extent === 1) return ordered.length === 0;
  return ordered.length === 1 && ordered[0]!.extent === extent && ordered[0]!.stride === stride;
}

/** The dimension whose neighbours are closest in memory. */
export function innermostDim({ axes, dims }: TensorView): number {
  const steps = axes.map((list) =>
    Math.min(Infinity, ...list.map(({ stride }) => Math.abs(stride) || Infinity)),
  );
  const least = Math.min(...steps);
  return least === Infinity ? dims.length - 1 : steps.lastIndexOf(least);
}

/** The view with its dimensions repeated to `dims`, as ONNX broadcasts; undefined when they do not fit. */
export function broadcastView(view: TensorView, dims: readonly Rows[]): TensorView | undefined {
  const added = dims.length - view.dims.length;
  if (added < 0) return undefined;
  const axes: (readonly Axis[])[] = [];
  for (const [dim, extent] of dims.entries()) {
    const own = dim < added ? 1 : view.dims[dim - added]!;
    if (own !== extent && own !== 1) return undefined;
    axes.push(own === extent ? (view.axes[dim - added] ?? []) : [{ extent, stride: 0 }]);
  }
  return { ...view, dims, axes };
}

/** The dimensions in another order, or some of them. */
export function permuteView(view: TensorView, order: readonly number[]): TensorView {
  return { ...view, dims: order.map((dim) => view.dims[dim]!), axes: order.map((dim) => view.axes[dim]!) };
}

/** A range of a view along one dimension. */
export function sliceView(view: TensorView, dim: number, start: number, extent: number): TensorView {
  const [axis, ...more] = mergeAxes(view.axes[dim]!);
  if (more.length > 0) throw new Error('A dimension of several axes has no ranges.');
  const stride = axis?.stride ?? 0;
  return {
    ...view,
    offset: view.offset + start * stride,
    dims: view.dims.with(dim, extent),
    axes: view.axes.with(dim, extent === 1 ? [] : [{ extent, stride }]),
  };
}

/** The elements of a view in the tensor's order. */
export function elementOffsets({ dims, axes, offset }: TensorView): Int32Array {
  let offsets = Int32Array.of(offset);
  for (const [dim, extent] of dims.entries()) {
    if (extent === 'sequence') throw new Error('A sequence has no fixed elements.');
    const steps = dimensionOffsets(axes[dim]!);
    const longer = new Int32Array(offsets.length * extent);
    for (let outer = 0; outer < offsets.length; outer++) {
      for (let at = 0; at < extent; at++) longer[outer * extent + at] = offsets[outer]! + (steps[at] ?? 0);
    }
    offsets = longer;
  }
  return offsets;
}

function dimensionOffsets(axes: readonly Axis[]): number[] {
  return axes.reduce<number[]>(
    (outer, { extent, stride }) =>
      outer.flatMap((start) => Array.from({ length: extent as number }, (_, at) => start + at * stride)),
    [0],
  );
}

/** The view that has these elements, in the tensor's order; undefined when they are not at regular distances. */
export function viewOfOffsets(
  value: Value,
  dims: readonly number[],
  offsets: Int32Array,
): TensorView | undefined {
  const [offset = 0] = offsets;
  let pitch = offsets.length;
  const axes: (readonly Axis[])[] = [];
  for (const extent of dims) {
    pitch /= extent;
    const found = axesOf(Array.from({ length: extent }, (_, at) => offsets[at * pitch]! - offset));
    if (found === undefined) return undefined;
    axes.push(found);
  }
  const view = { value, dims, offset, axes };
  const made = elementOffsets(view);
  return made.every((element, index) => element === offsets[index]) ? view : undefined;
}

/** Axes, outermost first, of positions along a dimension; innermost are as many equal steps as there are. */
function axesOf(positions: readonly number[]): readonly Axis[] | undefined {
  const count = positions.length;
  if (count === 1) return [];
  const stride = positions[1]!;
  let run = 2;
  while (run < count && positions[run] === run * stride) run++;
  if (run === count) return [{ extent: count, stride }];
  if (count % run !== 0) return undefined;
  const outer = axesOf(Array.from({ length: count / run }, (_, at) => positions[at * run]!));
  return outer && [...outer, { extent: run, stride }];
}

/** The loops that copy one view to another of equal dimensions; undefined when their axes do not fit together. */
export function copyLoops(from: TensorView, to: TensorView): CopyLoops | undefined {
  const loops: CopyAxis[] = [];
  for (const [dim, source] of from.axes.entries()) {
    const pairs = pairAxes(source, to.axes[dim]!);
    if (pairs === undefined) return undefined;
    loops.push(...pairs);
  }
  loops.sort((a, b) => b.to - a.to);
  const width = rowStride(to.value);
  return {
    from: from.offset,
    to: to.offset,
    rows: mergeLoops(loops.filter((loop) => loop.to >= width)),
    columns: mergeLoops(loops.filter((loop) => loop.to < width)),
  };
}

/** Splits the axes of a dimension until both lists have the same extents. */
function pairAxes(source: readonly Axis[], target: readonly Axis[]): CopyAxis[] | undefined {
  const [from, to] = [[...source], [...target]] as [Axis[], Axis[]];
  const pairs: CopyAxis[] = [];
  while (from.length > 0 && to.length > 0) {
    const [a, b] = [from.pop()!, to.pop()!];
    if (a.extent === 'sequence' || b.extent === 'sequence') return undefined;
    const extent = Math.min(a.extent, b.extent);
    if (a.extent % extent !== 0 || b.extent % extent !== 0) return undefined;
    pairs.unshift({ extent, from: a.stride, to: b.stride });
    if (a.extent > extent) from.push({ extent: a.extent / extent, stride: a.stride * extent });
    if (b.extent > extent) to.push({ extent: b.extent / extent, stride: b.stride * extent });
  }
  return pairs;
}

function mergeLoops(loops: readonly CopyAxis[]): CopyAxis[] {
  const merged: CopyAxis[] = [];
  for (const loop of loops) {
    const outer = merged.at(-1);
    if (outer && outer.from === loop.extent * loop.from && outer.to === loop.extent * loop.to) {
      merged[merged.length - 1] = { ...loop, extent: outer.extent * loop.extent };
    } else merged.push(loop);
  }
  return merged;
}
