import type { DenseTensor } from '../ir/index.ts';
import { chooseScale, type WeightRange } from './choose-scale.ts';
import { WEIGHT_GRIDS } from './integer-grid.ts';
import { packInt4 } from './pack-int4.ts';
import { ErrorTally, type QuantizationError } from './quantization-error.ts';
import { roundSpan } from './round-span.ts';

/** Rows read at a time: a small scratch even where an unaligned table has to be copied. */
const ROWS_AT_ONCE = 256;

export interface RowQuantization {
  /** Row-major; int4 is packed two to a byte, low half first. */
  readonly data: Int8Array | Uint8Array;
  /** Per row: x ≈ value · scale. */
  readonly scale: Float32Array;
  readonly error: QuantizationError;
}

/** Quantizes a float32 [rows, width] table with one symmetric scale per row, int8 in [-127,127] or int4 in [-8,7]. */
export function quantizeRows(
  table: DenseTensor & { dtype: 'float32' },
  { bits, range }: { readonly bits: 4 | 8; readonly range: WeightRange },
): RowQuantization {
  const [rows = 0, width = 0] = table.dims;
  const grid = WEIGHT_GRIDS[bits];
  const values = new Int8Array(rows * width);
  const scale = new Float32Array(rows);
  const alike = new Float32Array(width).fill(1);
  const tally = new ErrorTally();
  for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - first);
    const floats = readFloats(table.data, first * width, count * width);
    for (let row = 0; row < count; row++) {
      const span = { values: floats, from: row * width, to: (row + 1) * width };
      const chosen = chooseScale(span, grid, range, alike);
      scale[first + row] = chosen;
      roundSpan(span, chosen, grid, values, (first + row) * width, tally);
    }
  }
  return { data: bits === 4 ? packInt4(values) : values, scale, error: tally.result() };
}

/** `count` floats from element `start`: a view where the bytes are aligned, else a copy of just these. */
function readFloats(data: Uint8Array, start: number, count: number): Float32Array {
  const bytes = data.subarray(start * 4, (start + count) * 4);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes); // not slice(): a Node Buffer would not copy
  return new Float32Array(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}
