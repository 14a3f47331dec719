import type { Float32Tensor } from '../../ir/index.ts';
import { copyRows, STRIP_BYTES } from '../../wasm/index.ts';
import type { WeightRange } from './choose-scale.ts';
import { WEIGHT_GRIDS } from '../grids/integer-grid.ts';
import { PANEL_SPANS } from './kernels/span-kernels.ts';
import { packInt4 } from './pack-int4.ts';
import { ErrorTally, type QuantizationError } from '../grids/quantization-error.ts';
import { quantizePanel } from './quantize-panel.ts';
import { roundUpToPanel, SpanPanel } from './span-panel.ts';

export interface RowQuantization {
  /** Row-major; int4 is packed two to a byte, low half first. */
  readonly data: Int8Array | Uint8Array;
  /** Per row: x ≈ value · scale. */
  readonly scale: Float32Array;
  readonly error: QuantizationError;
}

/** Quantizes a float32 [rows, width] table with one symmetric scale per row, int8 in [-127,127] or int4 in [-8,7]. */
export function quantizeRows(
  { dims, data }: Float32Tensor,
  { bits, range }: { readonly bits: 4 | 8; readonly range: WeightRange },
): RowQuantization {
  const [rows = 0, width = 0] = dims;
  const grid = WEIGHT_GRIDS[bits];
  const values = new Int8Array(rows * width);
  const scale = new Float32Array(rows);
  const tally = new ErrorTally();
  const stride = roundUpToPanel(width);
  const most = roundUpToPanel(Math.min(rows, Math.max(1, STRIP_BYTES / 4 / Math.max(stride, 1))));
  const panel = new SpanPanel({ length: width, grid, stripFloats: most * stride });
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    copyRows({
      from: data.subarray(4 * first * width),
      fromStride: 4 * width,
      to: panel.strip,
      toStride: 4 * stride,
      width: 4 * width,
      rows: count,
    });
    for (let row = 0; row < count; row += PANEL_SPANS) {
      panel.loadRows(row, stride);
      const end = Math.min(row + PANEL_SPANS, count);
      quantizePanel(panel, grid, range, scale.subarray(first + row, first + end), tally);
      panel.storeRows(row, stride);
    }
    copyRows({
      from: panel.integers,
      fromStride: stride,
      to: values.subarray(first * width),
      toStride: width,
      width,
      rows: count,
    });
  }
  return { data: bits === 4 ? packInt4(values) : values, scale, error: tally.result() };
}
