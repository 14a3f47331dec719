/** How many rows a value has: one per token, or a fixed number (pixels of a map). */
export type Rows = 'sequence' | number;

/**
 * - `float`: float32, row-major, columns padded to 8.
 * - `quantized`: bytes, columns padded to 16, with a float32 scale and an int32 zero per row.
 * - `keys`, `values`: float32 in the attention kernel's panel layouts.
 * - `key-bias`: what an attention adds to the score of each key.
 * - `int`: one int32 per row (ids, token types, mask).
 * - `dense`: float32 in ONNX's order without padding; one row.
 * - `index`: int32, row-major without padding.
 * - `bytes`: a map of uint8, a row per pixel, channels at a stride of `bytesStride`.
 */
export type ValueKind =
  | 'float'
  | 'quantized'
  | 'keys'
  | 'values'
  | 'key-bias'
  | 'int'
  | 'dense'
  | 'index'
  | 'bytes';

/** What tensors of operators consist of, wherever they lie. */
export type ElementKind = 'float' | 'index' | 'bytes';

/** A buffer of the program; compared by identity. */
export interface Value {
  readonly name: string;
  readonly kind: ValueKind;
  readonly rows: Rows;
  readonly columns: number;
  /** Columns behind the last one that its kernel writes as well. Default 0. */
  readonly overhang?: number;
  /** Of a map of bytes: from pixel to pixel, where it is not the usual (see bytesStride). */
  readonly pixelBytes?: number;
}

/** Bytes of a value with room for `rows` rows. */
export function valueBytes(value: Value, rows: number): number {
  switch (value.kind) {
    case 'float':
      return rows * floatStride(value) * 4;
    case 'quantized':
      return quantizedParts(value, rows).bytes;
    case 'keys':
    case 'values':
      return roundUp(rows, 8) * roundUp(value.columns, 8) * 4;
    case 'key-bias':
    case 'int':
      return roundUp(rows, 8) * 4;
    case 'dense':
      // Read in whole vectors.
      return value.columns * 4 + 16;
    case 'index':
      return rows * value.columns * 4;
    case 'bytes':
      // Written four pixels and read a vector at a time.
      return roundUp(rows, 4) * bytesStride(value) + 16;
  }
}

/** Floats from one row to the next. */
export function floatStride(value: Value): number {
  return roundUp(value.columns + (value.overhang ?? 0), 8);
}

/** Bytes from one pixel of a map to the next. */
export function bytesStride({ columns, overhang = 0, pixelBytes }: Value): number {
  const written = columns + overhang;
  return pixelBytes ?? (written <= 8 ? 8 : roundUp(written, 16));
}

/** Of a copy of a value's elements. */
export function elementKind({ kind }: Value): ElementKind {
  return kind === 'bytes' || kind === 'index' ? kind : 'float';
}

export function elementBytes(value: Value): 1 | 4 {
  return value.kind === 'bytes' ? 1 : 4;
}

/** Elements from one row of floats, of indices or of a map of bytes to the next. */
export function rowStride(value: Value): number {
  if (value.kind === 'index') return value.columns;
  return value.kind === 'bytes' ? bytesStride(value) : floatStride(value);
}

/** Bytes from one quantized row to the next. */
export function quantizedStride(value: Value): number {
  return roundUp(value.columns, 16);
}

/** Offsets of the parts of a quantized value: bytes at 0, then scales, then zeros. */
export function quantizedParts(value: Value, rows: number): { scales: number; zeros: number; bytes: number } {
  const scales = roundUp(rows * quantizedStride(value), 16);
  const zeros = scales + roundUp(rows * 4, 16);
  return { scales, zeros, bytes: zeros + roundUp(rows * 4, 16) };
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
