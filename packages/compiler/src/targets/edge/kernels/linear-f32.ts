import { i32, type FunctionRef } from '../../../wasm/index.ts';
import type { Activation } from './finish-panel.ts';
import { emitFloatPanels } from './float-panels.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';

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
    const { k, n, activation, panelRows } = spec;
    const strides = {
      xStride: 4 * spec.xStride,
      yStride: 4 * (panelRows === undefined ? spec.yStride : PANEL_COLUMNS),
      residualStride: spec.residualStride === undefined ? undefined : 4 * spec.residualStride,
    };
    const panelBytes = 4 * PANEL_COLUMNS * (panelRows ?? 1);
    const multiply = emitFloatPanels(library, { k, n, activation, ...strides, panelBytes }, rowCounts);
    return library.module.function(name, { params: PARAMS }, (f, { m0, m1, ...p }) => {
      const rows = f.let(i32.sub(m1, m0));
      f.increment(p.x, i32.mul(m0, strides.xStride));
      f.increment(p.y, i32.mul(m0, strides.yStride));
      f.increment(p.residual, i32.mul(m0, strides.residualStride ?? 0));
      f.call(multiply, { ...p, rows });
    });
  });
}
