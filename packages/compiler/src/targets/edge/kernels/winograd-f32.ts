import { f32x4, i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitFloatRows } from './float-tile.ts';
import { PANEL_COLUMNS, type TileEpilogue } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';
import { roundUp } from './vector-code.ts';
import {
  emitWinogradBody,
  floatArithmetic,
  inputStride,
  panelBytes,
  SUMS_BYTES,
  togetherCounts,
  WINOGRAD_F32,
  WINOGRAD_PARAMS,
  winogradScratchBytes,
  type WinogradSpec,
} from './winograd-tiles.ts';
import { KERNEL_SCALE, transformKernel } from './winograd.ts';

export interface WinogradF32Spec extends WinogradSpec {
  readonly activation: Activation;
}

/** Scratch that one call needs for this many pixels. */
export function winogradF32ScratchBytes(spec: WinogradF32Spec, pixels: number): number {
  return winogradScratchBytes(spec, WINOGRAD_F32, pixels);
}

/** A 3×3 convolution over float32 with a third of the products (winograd.ts), then + bias and the activation. */
export function emitWinogradF32(
  library: KernelLibrary,
  spec: WinogradF32Spec,
  maxPixels: number,
  pixelCounts?: RowCounts,
): FunctionRef<typeof WINOGRAD_PARAMS, undefined> {
  return library.once('winograd f32', { ...spec, maxPixels, pixelCounts }, (name) => {
    const { window, activation, n, yStride } = spec;
    const element = WINOGRAD_F32;
    const k = window.tapBytes / 4;
    const multiply = emitFloatRows(
      library,
      { k, xStride: inputStride(window, element), finish: 'none' },
      togetherCounts(window, element, maxPixels, pixelCounts),
    );
    const isRelu = activation === 'relu';
    const parts = {
      transformPanel: emitPanel(library, spec),
      epilogue: isRelu ? BIAS_RELU_EPILOGUE : BIAS_EPILOGUE,
      yPanelBytes: 4 * PANEL_COLUMNS,
      unscale: (sum: Local<'v128'>) => f32x4.mul(sum, library.splat(1 / KERNEL_SCALE)),
      start: () => {},
    };
    const finish = isRelu ? undefined : emitFinishPanel(library, { activation, residual: false });
    return library.module.function(name, { params: WINOGRAD_PARAMS }, (f, p) => {
      const multiplyPosition = ({
        x,
        w,
        sums,
        count,
      }: Record<'x' | 'w' | 'sums' | 'count', Local<'i32'>>): void =>
        f.call(multiply, {
          x,
          w,
          wStride: 0,
          y: sums,
          yStride: SUMS_BYTES,
          extra: 0,
          k,
          panels: 1,
          rows: count,
        });
      emitWinogradBody(library, f, p, {
        spec,
        element,
        maxPixels,
        parts: { ...parts, multiply: multiplyPosition },
      });
      if (!finish) return;
      const y = f.let(i32.add(p.y, i32.mul(p.m0, yStride)));
      const rows = f.let(i32.sub(p.m1, p.m0));
      f.whileBelow(f.let(i32.const(0)), roundUp(n, PANEL_COLUMNS) / PANEL_COLUMNS, 1, () => {
        f.call(finish, { y, yStride, residual: 0, residualStride: 0, rows });
        f.increment(y, 4 * PANEL_COLUMNS);
      });
    });
  });
}

function biasEpilogue(isRelu: boolean): TileEpilogue<Record<'bias' | 'multiplier' | 'limits', 'i32'>> {
  return {
    name: isRelu ? 'float bias, relu' : 'float bias',
    params: { bias: 'i32', multiplier: 'i32', limits: 'i32' },
    rowBytes: {},
    emit(f, p, sums) {
      for (const row of sums) {
        row.forEach((sum, half) => {
          const biased = f32x4.add(sum, v128.load(p.bias, 16 * half));
          f.do(v128.store(p.y, isRelu ? f32x4.pmax(v128.zero(), biased) : biased, 16 * half));
        });
        f.increment(p.y, p.yStride);
      }
    },
  };
}
const BIAS_EPILOGUE = biasEpilogue(false);
const BIAS_RELU_EPILOGUE = biasEpilogue(true);

/** One panel [9][k][8] to [position][k][8]. */
function emitPanel(
  library: KernelLibrary,
  { window }: WinogradF32Spec,
): FunctionRef<{ readonly weights: 'i32'; readonly panel: 'i32' }, undefined> {
  const { tapBytes } = window;
  const params = { weights: 'i32', panel: 'i32' } as const;
  return library.once('winograd panel f32', { tapBytes }, (name) =>
    library.module.function(name, { params }, (f, p) => {
      const arithmetic = floatArithmetic(library, f);
      const end = f.let(i32.add(p.weights, tapBytes * PANEL_COLUMNS));
      f.whileBelow(p.weights, end, 16, () => {
        const tap = (index: number): Local<'v128'> =>
          f.let(v128.load(p.weights, index * tapBytes * PANEL_COLUMNS));
        transformKernel(arithmetic, tap, (position, weight) =>
          f.do(v128.store(p.panel, weight, position * panelBytes(window, WINOGRAD_F32))),
        );
        f.increment(p.panel, 16);
      });
    }),
  );
}
