export interface RowCopy<T extends Uint8Array | Int8Array> {
  readonly from: T;
  /** Elements from one row to the next. */
  readonly fromStride: number;
  readonly to: T;
  readonly toStride: number;
  /** Elements of a row. */
  readonly width: number;
  readonly rows: number;
}

/** Copies a block of rows, at once where they lie without gaps on both sides. */
export function copyRows<T extends Uint8Array | Int8Array>(copy: RowCopy<T>): void {
  const { from, fromStride, to, toStride, width, rows } = copy;
  if (fromStride === width && toStride === width) {
    to.set(from.subarray(0, rows * width));
    return;
  }
  for (let row = 0; row < rows; row++)
    to.set(from.subarray(row * fromStride, row * fromStride + width), row * toStride);
}
