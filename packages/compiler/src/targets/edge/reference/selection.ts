import type { GatherElementsSpec } from '../kernels/gather-elements.ts';
import type { GatherRowsSpec } from '../kernels/gather-rows.ts';

// Plain loops over dense rows, bit-identical to the kernels of the same name.

/** The column of each row's largest (or smallest) value; of equal ones the first, or the last. */
export function argRows(x: Float32Array, columns: number, largest: boolean, last: boolean): Int32Array {
  return Int32Array.from({ length: x.length / columns }, (_, row) => {
    const values = x.subarray(row * columns, (row + 1) * columns);
    const best = values.reduce((a, b) => (largest ? Math.max(a, b) : Math.min(a, b)));
    return last ? values.lastIndexOf(best) : values.indexOf(best);
  });
}

export interface TopK {
  readonly values: Float32Array;
  readonly indices: Int32Array;
}

/** The k best values of each row in order, of equal ones the one with the lowest column first. */
export function topKRows(x: Float32Array, columns: number, k: number, largest: boolean): TopK {
  const indices = Int32Array.from({ length: (x.length / columns) * k });
  const values = new Float32Array(indices.length);
  for (let start = 0, to = 0; start < x.length; start += columns) {
    const order = Array.from({ length: columns }, (_, column) => column).sort(
      (a, b) => (largest ? -1 : 1) * (x[start + a]! - x[start + b]!),
    );
    for (const column of order.slice(0, k)) {
      indices[to] = column;
      values[to++] = x[start + column]!;
    }
  }
  return { values, indices };
}

/** The rows of x that rows of indices name; an index beyond the end is taken for the last. */
export function gatherRows(
  x: Float32Array,
  indices: Int32Array,
  { axes, columns }: Pick<GatherRowsSpec, 'axes' | 'columns'>,
): Float32Array {
  const y = new Float32Array((indices.length / axes.length) * columns);
  for (let row = 0; row * columns < y.length; row++) {
    const from = axes.reduce((sum, { extent, rows }, axis) => {
      const index = indices[row * axes.length + axis]!;
      return sum + rows * (index >= 0 && index < extent ? index : extent - 1);
    }, 0);
    y.set(x.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return y;
}

/** In each column the element of the row, of the group's, that the indices name; an index beyond the end is taken for the last. */
export function gatherElements(
  x: Float32Array,
  indices: Int32Array,
  { extent, count, columns }: Pick<GatherElementsSpec, 'extent' | 'count' | 'columns'>,
): Float32Array {
  return Float32Array.from(indices, (index, at) => {
    const row = index >= 0 && index < extent ? index : extent - 1;
    const group = Math.floor(at / (count * columns));
    return x[(group * extent + row) * columns + (at % columns)]!;
  });
}
