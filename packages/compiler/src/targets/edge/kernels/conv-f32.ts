import { i32, type FunctionRef } from '../../../wasm/index.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitFloatRows } from './float-tile.ts';
import { emitFloatVector } from './float-vector.ts';
import {
  emitGatherPatches,
  PATCH_OVERHANG_BYTES,
  patchBytes,
  patchStride,
  type WindowSpec,
} from './gather-patches.ts';
import { PANEL_COLUMNS } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';
import { roundUp } from './vector-code.ts';

export interface ConvF32Spec {
  /** Output channels. */
  n: number;
  activation: Activation;
  /** Floats from pixel to pixel of y, at least n rounded up to 8. */
  yStride: number;
  window: WindowSpec;
}

const PARAMS = {
  /** The input map. */
  x: 'i32',
  /** packFloatWeights' layout of [k][n], k running over a patch. */
  weights: 'i32',
  bias: 'i32',
  y: 'i32',
  /** convF32ScratchBytes bytes of this thread. */
  scratch: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

/** Scratch that one call needs for this many pixels: their patches. */
export function convF32ScratchBytes({ window }: ConvF32Spec, rows: number): number {
  return rows * patchStride(window) + PATCH_OVERHANG_BYTES;
}

/** y = act(Σ patch·w + bias) for the output pixels [m0, m1) (row-major), the sum in the order of the patch. */
export function emitConvF32(
  library: KernelLibrary,
  spec: ConvF32Spec,
  rowCounts?: RowCounts,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('conv f32', { ...spec, rowCounts }, (name) => {
    const k = patchBytes(spec.window) / 4;
    const gather = emitGatherPatches(library, spec.window);
    const tile = { xStride: patchStride(spec.window), k, finish: 'bias' } as const;
    const multiply = emitFloatRows(library, tile, rowCounts);
    const vector = (rowCounts?.includes(1) ?? true) ? emitFloatVector(library, { k }) : undefined;
    const finish = emitFinishPanel(library, { activation: spec.activation, residual: false });
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const rows = f.let(i32.sub(p.m1, p.m0));
      const yStride = 4 * spec.yStride;
      f.call(gather, { x: p.x, patches: p.scratch, m0: p.m0, m1: p.m1 });
      f.increment(p.y, i32.mul(p.m0, yStride));
      const panels = roundUp(spec.n, PANEL_COLUMNS) / PANEL_COLUMNS;
      const isSingle = f.let(vector ? i32.eq(rows, 1) : i32.const(0));
      if (vector) {
        f.if(isSingle, () => {
          f.call(vector, { x: p.scratch, w: p.weights, y: p.y, extra: p.bias, panels });
        });
      }
      f.whileBelow(f.local('i32'), i32.const(panels), 1, () => {
        f.if(i32.eqz(isSingle), () => {
          f.call(multiply, {
            x: p.scratch,
            w: p.weights,
            wStride: 0,
            y: p.y,
            yStride,
            extra: p.bias,
            k,
            panels: 1,
            rows,
          });
        });
        if (finish) f.call(finish, { y: p.y, yStride, residual: 0, residualStride: 0, rows });
        f.increment(p.weights, 4 * k * PANEL_COLUMNS);
        f.increment(p.bias, 4 * PANEL_COLUMNS);
        f.increment(p.y, 4 * PANEL_COLUMNS);
      });
    });
  });
}
