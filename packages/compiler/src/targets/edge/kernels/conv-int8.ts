import { i32, type FunctionRef, type Local } from '../../../wasm/index.ts';
import { byteEpilogue } from './byte-epilogue.ts';
import {
  emitGatherPatches,
  PATCH_OVERHANG_BYTES,
  patchBytes,
  patchStride,
  type ByteWindowSpec,
} from './gather-patches.ts';
import { emitInt8Rows, PAIR_DOTS, PANEL_COLUMNS, type DotForm } from './int8-tile.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { pairFlagWords, type PairForm } from './pair-flags.ts';
import { BYTE_LIMITS_BYTES, emitByteLimits, emitModeBias } from './requantize.ts';
import type { RowCounts } from './row-tiles.ts';
import { SCALE_EPILOGUE } from './scale-epilogue.ts';
import { roundUp } from './vector-code.ts';
import { emitWidenPanel, emitWidenRows, widePanelBytes } from './widen.ts';

export interface ConvInt8Spec {
  /** Output channels. */
  n: number;
  /** Of the weights. */
  pairs: PairForm;
  /** Of the output; undefined: the output is float32, float(Σ + bias)·multiplier. */
  zeroPoint: number | undefined;
  /** Whether all results, in steps of the output's grid, are below ROUNDABLE. */
  isRoundable: boolean;
  /** Whether the kernel runs in modes u8 and s8 only, because the others have emitWinogradInt8. */
  isDotOnly: boolean;
  /** Bytes from pixel to pixel of the output: room for n elements rounded up to 8. */
  yStride: number;
  /** A window; or a 1×1 convolution with stride 1 over pixels of k bytes, xStride apart. */
  window: ByteWindowSpec | { readonly k: number; readonly xStride: number };
}

const PARAMS = {
  /** The input map. */
  x: 'i32',
  /** packInt8Weights' layout of [k][n]: k runs over a patch (or over a pixel's channels). */
  weights: 'i32',
  /** i32 per output channel, less the input's zero point times the sum of the weights. */
  bias: 'i32',
  /** Sums of the weights. */
  colsum: 'i32',
  /** float32 per output channel: x_scale·w_scale/y_scale, y_scale being 1 for float32. */
  multiplier: 'i32',
  /** packInt8's flags where pairs are fused; else anything. */
  pairFlags: 'i32',
  y: 'i32',
  /** convInt8ScratchBytes bytes of this thread. */
  scratch: 'i32',
  m0: 'i32',
  m1: 'i32',
} as const;

function depth({ window }: ConvInt8Spec): { k: number; xStride: number } {
  return 'k' in window ? window : { k: patchBytes(window), xStride: patchStride(window) };
}

function scratchLayout(
  spec: ConvInt8Spec,
  rows: number,
): Record<'bias' | 'patches' | 'panel' | 'wide' | 'end', number> {
  const { k, xStride } = depth(spec);
  const bias = BYTE_LIMITS_BYTES;
  const patches = bias + 4 * roundUp(spec.n, PANEL_COLUMNS);
  const gathered = 'k' in spec.window ? 0 : roundUp(rows * xStride + PATCH_OVERHANG_BYTES, 16);
  const panel = patches + gathered;
  if (spec.isDotOnly) return { bias, patches, panel, wide: panel, end: panel };
  const wide = panel + widePanelBytes(k);
  return { bias, patches, panel, wide, end: wide + 2 * rows * xStride + 32 };
}

/** Scratch that one call needs for this many pixels. */
export function convInt8ScratchBytes(spec: ConvInt8Spec, rows: number): number {
  return scratchLayout(spec, rows).end;
}

/**
 * A convolution over bytes for the output pixels [m0, m1) (row-major), at most `maxRows` of them: patches are gathered
 * for these pixels only and multiplied like a matrix.
 */
export function emitConvInt8(
  library: KernelLibrary,
  spec: ConvInt8Spec,
  maxRows: number,
  rowCounts?: RowCounts,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('conv int8', { ...spec, maxRows, rowCounts }, (name) => {
    const { k, xStride } = depth(spec);
    const layout = scratchLayout(spec, maxRows);
    const { zeroPoint } = spec;
    const { isRoundable } = spec;
    const epilogueOf = (form: DotForm) =>
      zeroPoint === undefined
        ? SCALE_EPILOGUE
        : byteEpilogue(library, { isRoundable, isFlipped: form === 'dot' });
    const rowsOf = (form: DotForm) =>
      emitInt8Rows(
        library,
        { form, k: roundUp(k, 4), xStride: form === 'i16' || form === 'row' ? 2 * xStride : xStride },
        epilogueOf(form),
        form === 'row' ? [1] : rowCounts,
      );
    const wide = spec.isDotOnly ? undefined : rowsOf('i16');
    const single = wide && (rowCounts?.includes(1) ?? true) ? rowsOf('row') : undefined;
    const dot = library.rung === 'relaxed' ? rowsOf('dot') : undefined;
    const pairs =
      wide && library.rung === 'relaxed' && spec.pairs !== 'none' ? rowsOf(PAIR_DOTS[spec.pairs]) : undefined;
    const gather = 'k' in spec.window ? undefined : emitGatherPatches(library, spec.window);

    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const rows = f.let(i32.sub(p.m1, p.m0));
      const at = (offset: number): Local<'i32'> => f.let(i32.add(p.scratch, offset));
      if (zeroPoint !== undefined) emitByteLimits(library, f, p.scratch, zeroPoint);
      const bias = emitModeBias(library, f, {
        bias: p.bias,
        colsum: p.colsum,
        scratch: at(layout.bias),
        n: roundUp(spec.n, PANEL_COLUMNS),
      });
      const x = gather ? at(layout.patches) : f.let(i32.add(p.x, i32.mul(p.m0, xStride)));
      if (gather) f.call(gather, { x: p.x, patches: x, m0: p.m0, m1: p.m1 });
      f.increment(p.y, i32.mul(p.m0, spec.yStride));

      const { mode } = library;
      const isWide = wide
        ? f.let(pairs ? i32.eq(mode, MODE.i16) : i32.or(i32.eq(mode, MODE.i16), i32.eq(mode, MODE.pairs)))
        : undefined;
      const widePanel = at(layout.panel);
      const wideRows = at(layout.wide);
      if (isWide) f.if(isWide, () => emitWidenRows(f, x, wideRows, i32.mul(rows, xStride)));
      f.whileBelow(f.local('i32'), roundUp(spec.n, PANEL_COLUMNS) / PANEL_COLUMNS, 1, () => {
        const common = {
          y: p.y,
          yStride: spec.yStride,
          pairFlags: p.pairFlags,
          bias,
          multiplier: p.multiplier,
          limits: p.scratch,
          rows,
        };
        const narrow = { ...common, x, w: p.weights };
        const callDot = (): void => dot && f.call(dot, narrow);
        const callNarrow = (): void =>
          pairs ? f.if(i32.eq(mode, MODE.pairs), () => f.call(pairs, narrow), callDot) : callDot();
        const callWide = (): void => {
          emitWidenPanel(f, p.weights, widePanel, roundUp(k, 4));
          f.call(wide!, { ...common, x: wideRows, w: widePanel });
        };
        const callRow = (): void => f.call(single!, { ...common, x: wideRows, w: p.weights });
        const callWidened = single ? (): void => f.if(i32.eq(rows, 1), callRow, callWide) : callWide;
        if (isWide) f.if(isWide, callWidened, callNarrow);
        else callNarrow();
        f.increment(p.weights, roundUp(k, 4) * PANEL_COLUMNS);
        f.increment(p.pairFlags, 4 * pairFlagWords(k));
        f.increment(bias, 4 * PANEL_COLUMNS);
        f.increment(p.multiplier, 4 * PANEL_COLUMNS);
        f.increment(p.y, zeroPoint === undefined ? 4 * PANEL_COLUMNS : PANEL_COLUMNS);
      });
    });
  });
}
