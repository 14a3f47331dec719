import { chooseScale, type WeightRange } from './choose-scale.ts';
import { ColumnPanels } from './column-panels.ts';
import { roundHalfEven, WEIGHT_GRIDS } from './integer-grid.ts';
import { ErrorTally, type QuantizationError } from './quantization-error.ts';

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
  const { low, high } = WEIGHT_GRIDS[bits];
  const values = new Int8Array(rows * columns);
  const scale = new Float32Array(columns);
  const tally = new ErrorTally();
  for (const { data, column, width } of new ColumnPanels(weight, rows, columns)) {
    for (let c = 0; c < width; c++) {
      const span = { values: data, from: c * rows, to: (c + 1) * rows };
      const chosen = chooseScale(span, { low, high }, range, importance);
      scale[column + c] = chosen;
      writeColumn(span.from, data, chosen, column + c);
    }
  }
  return { values, scale, error: tally.result() };

  function writeColumn(from: number, data: Float32Array, step: number, column: number): void {
    const inverse = 1 / step;
    let [signal, noise, clipped] = [0, 0, 0];
    for (let row = 0, at = column; row < rows; row++, at += columns) {
      const value = data[from + row]!;
      const rounded = roundHalfEven(value * inverse);
      const q = rounded > high ? high : rounded < low ? low : rounded;
      if (q !== rounded) clipped++;
      values[at] = q;
      const difference = value - q * step;
      signal += value * value;
      noise += difference * difference;
    }
    tally.signal += signal;
    tally.noise += noise;
    tally.clipped += clipped;
    tally.count += rows;
  }
}
