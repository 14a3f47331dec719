import { multiplyMatrices } from '../../ops/index.ts';
import { roundHalfEven, type IntegerGrid } from '../grids/integer-grid.ts';
import { ErrorTally, type QuantizationError } from '../grids/quantization-error.ts';
import type { UnitFactor } from './unit-factor.ts';

/** Grids of one row of a weight, one for each column. */
export interface RowGrids {
  readonly steps: Float32Array;
  readonly lows: Int8Array;
  readonly highs: Int8Array;
}

/** Rows between which errors are passed on as one product of matrices. */
const BLOCK_ROWS = 32;

/**
 * Integers for a row-major [rows, columns] weight with the least error of the layer's output, as far as a greedy walk finds it: rows are
 * rounded from the last to the first, and each takes up what the rows after it have lost, by the correlation of their inputs. With
 * M = Uᵀ·D·U the output's error of a column is Σ_i D_i·(e_i + Σ_{j>i} U_ij·e_j)², e being w − ŵ, and row i makes its own term least.
 * That is GPTQ (Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained transformers", 2022) with the
 * rows in the opposite order, without an inverse matrix (Chen et al., "The geometry of LLM quantization: GPTQ as Babai's nearest plane
 * algorithm", 2025).
 */
export function roundSecondOrder(
  weight: Float32Array,
  columns: number,
  { width: rows, unit }: UnitFactor,
  gridsOf: (row: number) => RowGrids,
  tally: ErrorTally,
): Int8Array {
  const values = new Int8Array(rows * columns);
  const errors = new Float32Array(rows * columns);
  const carried = new Float32Array(BLOCK_ROWS * columns);
  for (let end = rows; end > 0; end -= BLOCK_ROWS) {
    const start = Math.max(0, end - BLOCK_ROWS);
    carryErrors({ rows, columns, start, end, unit, errors, carried });
    for (let i = end - 1; i >= start; i--) {
      const carry = carried.subarray((i - start) * columns, (i - start + 1) * columns);
      for (let j = i + 1; j < end; j++) {
        const factor = unit[i * rows + j]!;
        const from = j * columns;
        for (let c = 0; c < columns; c++) carry[c]! += factor * errors[from + c]!;
      }
      const { steps, lows, highs } = gridsOf(i);
      const at = i * columns;
      for (let c = 0; c < columns; c++) {
        const [w, step] = [weight[at + c]!, steps[c]!];
        const nearest = roundHalfEven((w + carry[c]!) / step);
        const q = Math.max(lows[c]!, Math.min(highs[c]!, nearest));
        const error = w - q * step;
        values[at + c] = q;
        errors[at + c] = error;
        if (q !== nearest) tally.clipped++;
        tally.signal += w * w;
        tally.noise += error * error;
      }
    }
  }
  tally.count += values.length;
  return values;
}

/** The same for a weight with one scale per column. */
export function roundColumns(
  weight: Float32Array,
  scale: Float32Array,
  { low, high }: IntegerGrid,
  factor: UnitFactor,
): { readonly values: Int8Array; readonly error: QuantizationError } {
  const columns = scale.length;
  const grids = {
    steps: scale,
    lows: new Int8Array(columns).fill(low),
    highs: new Int8Array(columns).fill(high),
  };
  const tally = new ErrorTally();
  const values = roundSecondOrder(weight, columns, factor, () => grids, tally);
  return { values, error: tally.result() };
}

interface Carry {
  readonly rows: number;
  readonly columns: number;
  readonly start: number;
  readonly end: number;
  readonly unit: Float32Array;
  readonly errors: Float32Array;
  /** [end - start, columns] of it are filled in. */
  readonly carried: Float32Array;
}

/** What the rows behind a block have lost, as its rows see it: U[start…end, end…]·e[end…]. */
function carryErrors({ rows, columns, start, end, unit, errors, carried }: Carry): void {
  const [m, k] = [end - start, rows - end];
  if (k === 0) return void carried.fill(0);
  const factors = new Float32Array(m * k);
  for (let i = 0; i < m; i++)
    factors.set(unit.subarray((start + i) * rows + end, (start + i + 1) * rows), i * k);
  multiplyMatrices(factors, errors, carried, { m, k, n: columns, bStart: end * columns });
}
