import { chooseScale, type WeightRange } from './choose-scale.ts';
import { ColumnPanels } from './column-panels.ts';
import { WEIGHT_GRIDS } from './integer-grid.ts';
import { ErrorTally, type QuantizationError } from './quantization-error.ts';
import { roundSpan } from './round-span.ts';

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
  /** Weight of each row's squared error, length `rows`. Default: all alike. Only `mse` looks at it. */
  readonly importance?: Float32Array | undefined;
}

/** Quantizes a row-major float32 [rows, columns] matrix with one symmetric scale per column. */
export function quantizeColumns(
  weight: Float32Array,
  rows: number,
  columns: number,
  { bits, range, importance = new Float32Array(rows).fill(1) }: ColumnOptions,
): ColumnQuantization {
  const grid = WEIGHT_GRIDS[bits];
  const values = new Int8Array(rows * columns);
  const scale = new Float32Array(columns);
  const tally = new ErrorTally();
  const panels = new ColumnPanels(rows, columns);
  for (const panel of panels.read(weight)) {
    for (let c = 0; c < panel.width; c++) {
      const span = { values: panel.data, from: c * rows, to: (c + 1) * rows };
      const chosen = chooseScale(span, grid, range, importance);
      scale[panel.column + c] = chosen;
      roundSpan(span, chosen, grid, panel.integers, span.from, tally);
    }
    panels.write(panel, values);
  }
  return { values, scale, error: tally.result() };
}
