import { multiplyMatrices } from '../../ops/index.ts';
import type { ErrorTally } from '../grids/quantization-error.ts';
import type { RowGrids } from './round-second-order.ts';

/** Walks over a column: the third still finds a few. */
const WALKS = 3;

/**
 * Moves integers of a row-major [rows, columns] weight one step up or down wherever that lowers the error of the layer's output, eᵀ·M·e with e = w − ŵ
 * for each column, until nothing moves or three walks are done: coordinate descent (Behdin et al., "QuantEase: optimization-based
 * quantization for language models", 2023) from what `roundSecondOrder` found, which sees only the rows behind each.
 * @param values changed in place
 * @param matrix M, symmetric, [rows, rows]
 */
export function refineRounding(
  weight: Float32Array,
  columns: number,
  values: Int8Array,
  matrix: Float32Array,
  gridsOf: (row: number) => RowGrids,
  tally: ErrorTally,
): void {
  const rows = weight.length / columns;
  const { errors, steps, lows, highs } = turned(weight, columns, values, gridsOf);
  // Half the gradient of each column, M·e.
  const slopes = new Float32Array(errors.length);
  multiplyMatrices(errors, matrix, slopes, { m: columns, k: rows, n: rows });
  tally.noise = 0;
  for (let column = 0; column < columns; column++) {
    const first = column * rows;
    for (let walk = 0, moved = true; moved && walk < WALKS; walk++) {
      moved = false;
      for (let i = 0; i < rows; i++) {
        const [at, diagonal] = [first + i, i * rows];
        const [slope, step] = [slopes[at]!, steps[at]!];
        // A step up takes `step` from the error, which changes eᵀ·M·e by step²·M_ii − 2·step·slope.
        if (2 * Math.abs(slope) <= step * matrix[diagonal + i]!) continue;
        const direction = Math.sign(slope);
        const change = direction * step;
        const q = values[i * columns + column]! + direction;
        if (q < lows[at]! || q > highs[at]!) continue;
        values[i * columns + column] = q;
        errors[at]! -= change;
        for (let j = 0; j < rows; j++) slopes[first + j]! -= change * matrix[diagonal + j]!;
        moved = true;
      }
    }
    for (let i = 0; i < rows; i++) tally.noise += errors[first + i]! ** 2;
  }
}

/** Errors and grids column after column. */
function turned(
  weight: Float32Array,
  columns: number,
  values: Int8Array,
  gridsOf: (row: number) => RowGrids,
): { errors: Float32Array; steps: Float32Array; lows: Int8Array; highs: Int8Array } {
  const rows = weight.length / columns;
  const [errors, steps] = [new Float32Array(weight.length), new Float32Array(weight.length)];
  const [lows, highs] = [new Int8Array(weight.length), new Int8Array(weight.length)];
  for (let i = 0; i < rows; i++) {
    const grids = gridsOf(i);
    for (let c = 0; c < columns; c++) {
      const [from, to] = [i * columns + c, c * rows + i];
      steps[to] = grids.steps[c]!;
      lows[to] = grids.lows[c]!;
      highs[to] = grids.highs[c]!;
      errors[to] = weight[from]! - values[from]! * grids.steps[c]!;
    }
  }
  return { errors, steps, lows, highs };
}
