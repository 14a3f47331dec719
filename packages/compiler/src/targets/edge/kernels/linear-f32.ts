import { i32, type FunctionRef } from '../../../wasm/index.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitFloatRows } from './float-tile.ts';
import { emitFloatVector } from './float-vector.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';
import { roundUp } from './vector-code.ts';

export interface LinearF32Spec {
  k: number;
  n: number;
  activation: Activation;
  /** Floats from row to row. */
  xStride: number;
  /** At least n rounded up to 8. Unused for panels. */
  yStride: number;
  /** Adds a float row to each row of the output, after the activation. */
  residualStride?: number;
  /** Write [n/8][panelRows][8] instead of rows. */
  panelRows?: number;
}

const PARAMS = {
  x: 'i32',
  /** packFloatWeights' layout [n/8][k][8]. */
  weights: 'i32',
  bias: 'i32',
  /** Float rows, when the spec has residualStride; else anything. */
  residual: 'i32',
  y: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** y = act(Σ x·w + bias) [+ residual] for rows [m0, m1). */
export function emitLinearF32(
  library: KernelLibrary,
  spec: LinearF32Spec,
  rowCounts?: RowCounts,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('linear f32', { ...spec, rowCounts }, (name) => {
    const tile = { xStride: 4 * spec.xStride, k: spec.k, finish: 'bias' } as const;
    const multiply = emitFloatRows(library, tile, rowCounts);
    const isEverSingle = spec.panelRows === undefined && (rowCounts?.includes(1) ?? true);
    const vector = isEverSingle ? emitFloatVector(library, { k: spec.k }) : undefined;
    const finish = emitFinishPanel(library, {
      activation: spec.activation,
      residual: spec.residualStride !== undefined,
    });
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const rows = f.let(i32.sub(p.m1, p.m0));
      const yStride = 4 * (spec.panelRows === undefined ? spec.yStride : PANEL_COLUMNS);
      const residualStride = 4 * (spec.residualStride ?? 0);
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.increment(p.residual, i32.mul(p.m0, residualStride));
      const panels = roundUp(spec.n, PANEL_COLUMNS) / PANEL_COLUMNS;
      const isSingle = f.let(vector ? i32.eq(rows, 1) : i32.const(0));
      if (vector) {
        f.if(isSingle, () => {
          f.call(vector, { x: p.x, w: p.weights, y: p.y, extra: p.bias, panels });
        });
      }
      f.whileBelow(f.local('i32'), i32.const(panels), 1, () => {
        f.if(i32.eqz(isSingle), () => {
          f.call(multiply, {
            x: p.x,
            w: p.weights,
            wStride: 0,
            y: p.y,
            yStride,
            extra: p.bias,
            k: spec.k,
            panels: 1,
            rows,
          });
        });
        if (finish) f.call(finish, { y: p.y, yStride, residual: p.residual, residualStride, rows });
        f.increment(p.weights, 4 * spec.k * PANEL_COLUMNS);
        f.increment(p.bias, 4 * PANEL_COLUMNS);
        f.increment(p.residual, 4 * PANEL_COLUMNS);
        f.increment(p.y, 4 * PANEL_COLUMNS * (spec.panelRows ?? 1));
      });
    });
  });
}
