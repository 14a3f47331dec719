import { i32, type FunctionBuilder, type FunctionRef, type ParamLocals } from '../../../wasm/index.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitFloatRows } from './float-tile.ts';
import { emitFloatVector } from './float-vector.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';
import { roundUp } from './vector-code.ts';

export interface FloatPanelsSpec {
  readonly k: number;
  readonly n: number;
  readonly activation: Activation;
  /** Bytes from row to row. */
  readonly xStride: number;
  readonly yStride: number;
  /** Bytes from row to row of what is added after the activation. */
  readonly residualStride?: number | undefined;
  /** Bytes from one panel of the output to the next: 32 where they lie side by side. */
  readonly panelBytes: number;
}

const PARAMS = {
  x: 'i32',
  /** packFloatWeights' layout [n/8][k][8]. */
  weights: 'i32',
  bias: 'i32',
  /** Rows of floats, when the spec has residualStride; else anything. */
  residual: 'i32',
  y: 'i32',
  rows: 'i32',
} as const;

/** y = act(Σ x·w + bias) [+ residual] for some rows, panel by panel of eight columns; all pointers are those of the first row. */
export function emitFloatPanels(
  library: KernelLibrary,
  spec: FloatPanelsSpec,
  rowCounts: RowCounts,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('float panels', { ...spec, rowCounts }, (name) => {
    const { k, activation, residualStride } = spec;
    // A relu costs the products nothing.
    const isRelu = activation === 'relu' && residualStride === undefined;
    const tile = { xStride: spec.xStride, k, finish: isRelu ? 'bias, relu' : 'bias' } as const;
    const multiply = emitFloatRows(library, tile, rowCounts);
    const isSideBySide = spec.panelBytes === 4 * PANEL_COLUMNS;
    const isEverSingle = isSideBySide && (rowCounts?.includes(1) ?? true);
    const vector = isEverSingle ? emitFloatVector(library, { k }) : undefined;
    const finish =
      isRelu && !vector
        ? undefined
        : emitFinishPanel(library, { activation, residual: residualStride !== undefined });
    const panels = roundUp(spec.n, PANEL_COLUMNS) / PANEL_COLUMNS;

    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const finishPanel = (): void => {
        const strides = { yStride: spec.yStride, residualStride: residualStride ?? 0 };
        if (finish) f.call(finish, { y: p.y, residual: p.residual, ...strides, rows: p.rows });
      };
      if (vector) {
        f.if(i32.eq(p.rows, 1), () => {
          f.call(vector, { x: p.x, w: p.weights, y: p.y, extra: p.bias, panels });
          if (finish) emitEachPanel(f, spec, panels, p, finishPanel);
          f.return();
        });
      }
      emitEachPanel(f, spec, panels, p, () => {
        f.call(multiply, {
          x: p.x,
          w: p.weights,
          wStride: 0,
          y: p.y,
          yStride: spec.yStride,
          extra: p.bias,
          k,
          panels: 1,
          rows: p.rows,
        });
        if (!isRelu) finishPanel();
      });
    });
  });
}

/** Runs code once for each panel, with the pointers at it. */
function emitEachPanel(
  f: FunctionBuilder,
  { k, panelBytes }: FloatPanelsSpec,
  panels: number,
  p: ParamLocals<typeof PARAMS>,
  body: () => void,
): void {
  f.whileBelow(f.let(i32.const(0)), panels, 1, () => {
    body();
    f.increment(p.weights, 4 * k * PANEL_COLUMNS);
    f.increment(p.bias, 4 * PANEL_COLUMNS);
    f.increment(p.residual, 4 * PANEL_COLUMNS);
    f.increment(p.y, panelBytes);
  });
}
