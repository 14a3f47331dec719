/** k in a block that shares a 4-bit multiplier. */
const INT4_BLOCK = 32;

/** The int8 weights [K,N] that 4-bit values and their multipliers [⌈K/32⌉,N] stand for. */
export function expandInt4(values: Int8Array, multipliers: Uint8Array, k: number, n: number): Int8Array {
  const expanded = new Int8Array(k * n);
  for (let row = 0; row < k; row++) {
    const block = Math.floor(row / INT4_BLOCK) * n;
    for (let column = 0; column < n; column++) {
      expanded[row * n + column] = values[row * n + column]! * multipliers[block + column]!;
    }
  }
  return expanded;
}

/** Rows of `columns` widened to `width` with zeros; the same array when there is nothing to add. */
export function padRows<T extends Float32Array | Int8Array>(values: T, columns: number, width: number): T {
  if (width === columns) return values;
  const rows = values.length / columns;
  const padded = new (values.constructor as new (length: number) => T)(rows * width);
  for (let row = 0; row < rows; row++) {
    padded.set(values.subarray(row * columns, (row + 1) * columns), row * width);
  }
  return padded;
}
