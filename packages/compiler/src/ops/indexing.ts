import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type TypedArray } from '../ir/index.ts';
import { allocate, type NdArray } from './nd-array.ts';

/** Row-major strides in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = Array.from(dims, () => 1);
  for (let axis = dims.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (dims[axis + 1] as number);
  }
  return strides;
}

/** Turns a negative axis into its position; throws for one outside the rank. */
export function normalizeAxis(axis: number, rank: number): number {
  const position = axis < 0 ? axis + rank : axis;
  if (position >= 0 && position < rank) return position;
  throw new CompilerError('invalid-graph', `The axis ${axis} is outside a tensor of rank ${rank}.`);
}

/** The shape that all these shapes broadcast to (numpy rules). */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, position) => {
    let extent = 1;
    for (const dims of shapes) {
      const dim = dims[position - rank + dims.length] ?? 1;
      if (dim === 1 || dim === extent) continue;
      if (extent !== 1) throw broadcastError(shapes);
      extent = dim;
    }
    return extent;
  });
}

function broadcastError(shapes: readonly (readonly number[])[]): CompilerError {
  const text = shapes.map((dims) => `[${dims.join(', ')}]`).join(' and ');
  return new CompilerError('invalid-graph', `The shapes ${text} do not broadcast.`);
}

/**
 * Positions in a source array, in row-major order of `dims`, where one step along axis i moves `strides[i]`
 * elements: transposes, slices and broadcasts (stride 0) are all of this form.
 */
export function stridedIndex(dims: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const out = new Int32Array(elementCount(dims));
  const rank = dims.length;
  if (out.length === 0) return out;
  if (rank === 0) return out.fill(offset);
  const inner = dims[rank - 1] as number;
  const step = strides[rank - 1] as number;
  const counter = new Int32Array(rank);
  let base = offset;
  for (let at = 0; at < out.length; at += inner) {
    for (let i = 0, from = base; i < inner; i++, from += step) out[at + i] = from;
    for (let axis = rank - 2; axis >= 0; axis--) {
      base += strides[axis] as number;
      counter[axis] = (counter[axis] as number) + 1;
      if ((counter[axis] as number) < (dims[axis] as number)) break;
      base -= (strides[axis] as number) * (dims[axis] as number);
      counter[axis] = 0;
    }
  }
  return out;
}

/** Positions that read an array of shape `from` as if it had the shape `to`. */
export function broadcastIndex(from: readonly number[], to: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return stridedIndex(
    to,
    to.map((_, axis) => ((from[axis - lead] ?? 1) === 1 ? 0 : (strides[axis - lead] as number))),
  );
}

/** The elements at these positions, as a tensor of shape `dims`. */
export function take(array: NdArray, index: Int32Array, dims: readonly number[]): NdArray {
  const data = allocate(array.dtype, index.length);
  // One loop for all element types: an entry is copied as it is.
  const from = array.data as Float64Array;
  const to = data as Float64Array;
  for (let i = 0; i < index.length; i++) to[i] = from[index[i] as number] as number;
  return { dtype: array.dtype, dims, data };
}

/** The array read as shape `dims` (numpy broadcasting); the same array when nothing changes. */
export function broadcastTo(array: NdArray, dims: readonly number[]): NdArray {
  if (sameDims(array.dims, dims)) return array;
  return take(array, broadcastIndex(array.dims, dims), dims);
}

export function transpose(array: NdArray, order: readonly number[]): NdArray {
  const strides = stridesOf(array.dims);
  const dims = order.map((axis) => array.dims[axis] as number);
  return take(
    array,
    stridedIndex(
      dims,
      order.map((axis) => strides[axis] as number),
    ),
    dims,
  );
}

export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** Splits a shape around an axis: elements before it, along it and after it. */
export function aroundAxis(
  dims: readonly number[],
  axis: number,
): { outer: number; extent: number; inner: number } {
  return {
    outer: elementCount(dims.slice(0, axis)),
    extent: dims[axis] as number,
    inner: elementCount(dims.slice(axis + 1)),
  };
}

/** The data as numbers to compute with; integers of 64 bits become doubles. */
export function asNumbers(array: NdArray): Exclude<TypedArray, BigInt64Array | BigUint64Array> {
  const { data } = array;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const out = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
    return out;
  }
  return data;
}

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
