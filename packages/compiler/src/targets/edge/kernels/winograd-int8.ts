import { i16x8, i32, i32x4, i8x16, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { byteEpilogue } from './byte-epilogue.ts';
import type { ByteWindowSpec } from './gather-patches.ts';
import { emitInt8Rows, PANEL_COLUMNS, type TileEpilogue } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitByteLimits } from './requantize.ts';
import type { RowCounts } from './row-tiles.ts';
import { SCALE_EPILOGUE } from './scale-epilogue.ts';
import { EVEN_PAIRS } from './widen.ts';
import {
  emitWinogradBody,
  inputStride,
  integerArithmetic,
  panelBytes,
  SUMS_BYTES,
  togetherCounts,
  WINOGRAD_INT8,
  WINOGRAD_PARAMS,
  winogradScratchBytes,
  type WinogradSpec,
} from './winograd-tiles.ts';
import { KERNEL_SCALE, transformKernel } from './winograd.ts';

export interface WinogradInt8Spec extends WinogradSpec {
  /** Of the output; undefined: the output is float32, float(Σ + bias)·multiplier. */
  readonly zeroPoint: number | undefined;
  /** Whether all results, in steps of the output's grid, are below ROUNDABLE. */
  readonly isRoundable: boolean;
  readonly window: ByteWindowSpec;
}

/** Whether the sums of a convolution with these weights [filters][…], KERNEL_SCALE times too large, fit into 32 bits. */
export function fitsWinograd(weights: Int8Array, filters: number): boolean {
  const size = weights.length / filters;
  for (let first = 0; first < weights.length; first += size) {
    let magnitude = 0;
    for (let index = first; index < first + size; index++) magnitude += Math.abs(weights[index]!);
    if (255 * magnitude * KERNEL_SCALE >= 2 ** 31) return false;
  }
  return true;
}

/** Scratch that one call needs for this many pixels. */
export function winogradInt8ScratchBytes(spec: WinogradInt8Spec, pixels: number): number {
  return winogradScratchBytes(spec, WINOGRAD_INT8, pixels);
}

/**
 * A 3×3 convolution over bytes with a third of the products (winograd.ts), in 16 bits: transformed inputs are at most
 * 2550, transformed weights 9216, and results are exact: sums may wrap around, since what they are a multiple of divides
 * them at the end (fitsWinograd). For modes i16 and pairs.
 */
export function emitWinogradInt8(
  library: KernelLibrary,
  spec: WinogradInt8Spec,
  maxPixels: number,
  pixelCounts?: RowCounts,
): FunctionRef<typeof WINOGRAD_PARAMS, undefined> {
  return library.once('winograd int8', { ...spec, maxPixels, pixelCounts }, (name) => {
    const { window, zeroPoint } = spec;
    const element = WINOGRAD_INT8;
    const multiply = emitInt8Rows(
      library,
      { form: 'i16', k: window.tapBytes, xStride: inputStride(window, element) },
      STORE_SUMS,
      togetherCounts(window, element, maxPixels, pixelCounts),
    );
    const parts = {
      transformPanel: emitPanel(library, window),
      epilogue:
        zeroPoint === undefined
          ? SCALE_EPILOGUE
          : byteEpilogue(library, { isRoundable: spec.isRoundable, isFlipped: false }),
      yPanelBytes: zeroPoint === undefined ? 4 * PANEL_COLUMNS : PANEL_COLUMNS,
      unscale: (sum: Local<'v128'>) => i32x4.mul(i32x4.shrS(sum, 4), library.splatBits(INVERSE_OF_3)),
    };
    return library.module.function(name, { params: WINOGRAD_PARAMS }, (f, p) => {
      emitWinogradBody(library, f, p, {
        spec,
        element,
        maxPixels,
        parts: {
          ...parts,
          start: () => {
            if (zeroPoint !== undefined) emitByteLimits(library, f, p.scratch, zeroPoint);
          },
          multiply: ({ x, w, sums, count }) =>
            f.call(multiply, { x, w, y: sums, yStride: SUMS_BYTES, pairFlags: 0, rows: count }),
        },
      });
    });
  });
}

/** 1/3 modulo 2³²: KERNEL_SCALE is 16·3. */
const INVERSE_OF_3 = 0xaaaaaaab | 0;

const STORE_SUMS: TileEpilogue<Readonly<Record<never, 'i32'>>> = {
  name: 'sums',
  params: {},
  rowBytes: {},
  emit(f, p, sums) {
    for (const row of sums) {
      row.forEach((sum, half) => f.do(v128.store(p.y, sum, 16 * half)));
      f.increment(p.y, p.yStride);
    }
  },
};

/** One panel [9][k/4][8][4] of bytes to [position][k/2][8][2] of i16. */
function emitPanel(
  library: KernelLibrary,
  window: ByteWindowSpec,
): FunctionRef<{ readonly weights: 'i32'; readonly panel: 'i32' }, undefined> {
  const { tapBytes } = window;
  const params = { weights: 'i32', panel: 'i32' } as const;
  return library.once('winograd panel int8', { tapBytes }, (name) =>
    library.module.function(name, { params }, (f, p) => {
      const arithmetic = integerArithmetic(f, i16x8);
      const end = f.let(i32.add(p.weights, tapBytes * PANEL_COLUMNS));
      // Four columns of four k at a time: the first pairs of each column, then the second ones.
      f.loop((again) => {
        [i16x8.extendLowI8x16S, i16x8.extendHighI8x16S].forEach((extend, half) => {
          const tap = (index: number): Local<'v128'> => {
            const vector = f.let(v128.load(p.weights, index * tapBytes * PANEL_COLUMNS));
            return f.let(extend(i8x16.shuffle(vector, vector, EVEN_PAIRS)));
          };
          transformKernel(arithmetic, tap, (position, weight) => {
            const at = position * panelBytes(window, WINOGRAD_INT8) + 32 * half;
            f.do(v128.store(p.panel, weight, at));
          });
        });
        f.increment(p.weights, 16);
        // Behind columns 0–3 are columns 4–7, behind these the next four k.
        f.increment(p.panel, 16);
        f.if(i32.eqz(i32.and(i32.sub(end, p.weights), 16)), () => f.increment(p.panel, 32));
        f.branchIf(again, i32.ltU(p.weights, end));
      });
    }),
  );
}
