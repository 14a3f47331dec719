import type { Float32Tensor } from '../../ir/index.ts';
import { copyRows, STRIP_BYTES } from '../../wasm/index.ts';
import type { WeightRange } from './choose-scale.ts';
import { WEIGHT_GRIDS } from '../grids/integer-grid.ts';
import { PANEL_SPANS } from './kernels/span-kernels.ts';
import { ErrorTally, type QuantizationError } from '../grids/quantization-error.ts';
import { quantizePanel } from './quantize-panel.ts';
import { roundUpToPanel, SpanPanel } from './span-panel.ts';

export interface ColumnQuantization {
  /** Row-major [rows, columns], like the weight. */
  readonly values: Int8Array;
  /** Per column: weight ≈ value · scale. */
  readonly scale: Float32Array;
  readonly error: QuantizationError;
}

export interface ColumnOptions {
  readonly bits: 7 | 8;
  readonly range: WeightRange;
}

/** Quantizes a float32 [rows, columns] matrix with one symmetric scale per column. */
export function quantizeColumns(
  { dims, data }: Float32Tensor,
  { bits, range }: ColumnOptions,
): ColumnQuantization {
  const [rows = 0, columns = 0] = dims;
  const grid = WEIGHT_GRIDS[bits];
  const values = new Int8Array(rows * columns);
  const scale = new Float32Array(columns);
  const tally = new ErrorTally();
  const widest = roundUpToPanel(Math.min(columns, Math.max(1, STRIP_BYTES / 4 / Math.max(rows, 1))));
  const panel = new SpanPanel({ length: rows, grid, stripFloats: rows * widest });
  for (let first = 0; first < columns; first += widest) {
    const width = Math.min(widest, columns - first);
    const stride = roundUpToPanel(width);
    copyRows({
      from: data.subarray(4 * first),
      fromStride: 4 * columns,
      to: panel.strip,
      toStride: 4 * stride,
      width: 4 * width,
      rows,
    });
    for (let column = 0; column < width; column += PANEL_SPANS) {
      panel.loadColumns(column, stride);
      const end = Math.min(column + PANEL_SPANS, width);
      quantizePanel(panel, grid, range, scale.subarray(first + column, first + end), tally);
      panel.storeColumns(column, stride);
    }
    copyRows({
      from: panel.integers,
      fromStride: stride,
      to: values.subarray(first),
      toStride: columns,
      width,
      rows,
    });
  }
  return { values, scale, error: tally.result() };
}
