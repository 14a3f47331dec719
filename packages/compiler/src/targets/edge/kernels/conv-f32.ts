import { i32, type FunctionRef } from '../../../wasm/index.ts';
import type { Activation } from './finish-panel.ts';
import { emitFloatPanels } from './float-panels.ts';
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
    const { n, activation, window } = spec;
    const gather = emitGatherPatches(library, window);
    const product = {
      k: patchBytes(window) / 4,
      n,
      activation,
      xStride: patchStride(window),
      yStride: 4 * spec.yStride,
      panelBytes: 4 * PANEL_COLUMNS,
    };
    const multiply = emitFloatPanels(library, product, rowCounts);
    return library.module.function(name, { params: PARAMS }, (f, p) => {
      f.call(gather, { x: p.x, patches: p.scratch, m0: p.m0, m1: p.m1 });
      f.increment(p.y, i32.mul(p.m0, product.yStride));
      f.call(multiply, {
        x: p.scratch,
        weights: p.weights,
        bias: p.bias,
        residual: 0,
        y: p.y,
        rows: f.let(i32.sub(p.m1, p.m0)),
      });
    });
  });
}
