import { i32, type FunctionRef } from '../../../wasm/index.ts';
import { FLOAT_EPILOGUE } from './float-epilogue.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitInt8Rows, PAIR_DOTS, PANEL_COLUMNS, type DotForm } from './int8-tile.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { pairFlagWords, type PairForm } from './pair-flags.ts';
import { roundUp } from './vector-code.ts';
import { emitWidenPanel, emitWidenRows, widePanelBytes } from './widen.ts';

export interface LinearInt8Spec {
  /** Columns of the activations. Their rows are bytes at a stride of k rounded up to 16: quantizeRows' output. */
  k: number;
  /** Columns of the output. */
  n: number;
  /** Of the weights. */
  pairs: PairForm;
  activation: Activation;
  /** Floats from one row of the output to the next, at least n rounded up to 8. Unused for panels. */
  yStride: number;
  /** Adds a float row to each row of the output, after the activation. */
  residualStride?: number;
  /** Write [n/8][panelRows][8] instead of rows: what attention wants its values to be. */
  panelRows?: number;
}

const PARAMS = {
  /** Bytes from quantizeRows. */
  x: 'i32',
  rowScale: 'i32',
  rowZero: 'i32',
  /** packInt8's layout [n/8][k/4][8][4]. */
  weights: 'i32',
  weightScale: 'i32',
  colsum: 'i32',
  bias: 'i32',
  /** packInt8's flags where pairs are fused; else anything. */
  pairFlags: 'i32',
  /** Float rows, when the spec has residualStride; else anything. */
  residual: 'i32',
  y: 'i32',
  /** linearInt8ScratchBytes(k, m1 − m0) bytes of this thread. */
  scratch: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** Scratch that one call needs for this many rows: one panel of weights and the rows, in 16 bits. */
export function linearInt8ScratchBytes(k: number, rows: number): number {
  return widePanelBytes(k) + 2 * rows * roundUp(k, 16);
}

/**
 * y = act(((float(Σ x·w − rowZero·colsum)·rowScale)·weightScale) + bias) [+ residual] for rows [m0, m1); integer sums
 * exact in every mode that the start-up probe allows.
 */
export function emitLinearInt8(
  library: KernelLibrary,
  spec: LinearInt8Spec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('linear int8', spec, (name) => {
    const k = roundUp(spec.k, 4);
    const rowBytes = roundUp(spec.k, 16);
    const rowsOf = (form: DotForm) =>
      emitInt8Rows(library, { form, k, xStride: form === 'i16' ? 2 * rowBytes : rowBytes }, FLOAT_EPILOGUE);
    const wide = rowsOf('i16');
    const dot = library.rung === 'relaxed' ? rowsOf('dot') : undefined;
    const pairs =
      library.rung === 'relaxed' && spec.pairs !== 'none' ? rowsOf(PAIR_DOTS[spec.pairs]) : undefined;
    const finish = emitFinishPanel(library, {
      activation: spec.activation,
      residual: spec.residualStride !== undefined,
    });

    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const rows = f.let(i32.sub(p.m1, p.m0));
      const yStride = 4 * (spec.panelRows === undefined ? spec.yStride : PANEL_COLUMNS);
      const residualStride = 4 * (spec.residualStride ?? 0);
      f.increment(p.x, i32.mul(p.m0, rowBytes));
      f.increment(p.y, i32.mul(p.m0, yStride));
      f.increment(p.residual, i32.mul(p.m0, residualStride));
      f.increment(p.rowScale, i32.shl(p.m0, 2));
      f.increment(p.rowZero, i32.shl(p.m0, 2));

      const { mode } = library;
      const isWide = f.let(
        pairs ? i32.eq(mode, MODE.i16) : i32.or(i32.eq(mode, MODE.i16), i32.eq(mode, MODE.pairs)),
      );
      const wideRows = f.let(i32.add(p.scratch, widePanelBytes(spec.k)));
      f.if(isWide, () => emitWidenRows(f, p.x, wideRows, i32.mul(rows, rowBytes)));

      const panel = f.local('i32');
      f.whileBelow(panel, roundUp(spec.n, PANEL_COLUMNS) / PANEL_COLUMNS, 1, () => {
        const common = {
          y: p.y,
          yStride,
          rowScale: p.rowScale,
          rowZero: p.rowZero,
          weightScale: p.weightScale,
          colsum: p.colsum,
          bias: p.bias,
          pairFlags: p.pairFlags,
          rows,
        };
        f.if(
          isWide,
          () => {
            emitWidenPanel(f, p.weights, p.scratch, k);
            f.call(wide, { ...common, x: wideRows, w: p.scratch });
          },
          () => {
            const args = { ...common, x: p.x, w: p.weights };
            if (pairs && dot) {
              f.if(
                i32.eq(mode, MODE.pairs),
                () => f.call(pairs, args),
                () => f.call(dot, args),
              );
            } else if (dot) f.call(dot, args);
          },
        );
        if (finish) {
          f.call(finish, { y: p.y, yStride, residual: p.residual, residualStride, rows });
        }
        f.increment(p.weights, k * PANEL_COLUMNS);
        f.increment(p.pairFlags, 4 * pairFlagWords(k));
        for (const column of [p.weightScale, p.colsum, p.bias, p.residual])
          f.increment(column, 4 * PANEL_COLUMNS);
        f.increment(p.y, 4 * PANEL_COLUMNS * (spec.panelRows ?? 1));
      });
    });
  });
}
