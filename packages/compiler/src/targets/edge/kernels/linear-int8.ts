import {
  i16x8,
  i32,
  i8x16,
  v128,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import { emitFinishPanel, type Activation } from './finish-panel.ts';
import { emitInt8Rows, PANEL_COLUMNS, type DotForm } from './int8-tile.ts';
import { MODE, type KernelLibrary } from './kernel-library.ts';
import { pairFlagWords } from './pair-flags.ts';
import { roundUp } from './vector-code.ts';

export interface LinearInt8Spec {
  /** Columns of the activations. Their rows are bytes at a stride of k rounded up to 16: quantizeRows' output. */
  k: number;
  /** Columns of the output. */
  n: number;
  /** Bits that the weights use: 7 (in [-64, 63]) or 8 (in [-127, 127]). */
  bits: 7 | 8;
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
  /** packInt8's flags for 7-bit weights; else anything. */
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
    const rowsOf = (form: DotForm): ReturnType<typeof emitInt8Rows> =>
      emitInt8Rows(library, {
        form,
        k,
        xStride: form === 'i16' ? 2 * rowBytes : rowBytes,
      });
    const wide = rowsOf('i16');
    const dot = library.rung === 'relaxed' ? rowsOf('dot') : undefined;
    const pairs = library.rung === 'relaxed' && spec.bits === 7 ? rowsOf('pairs') : undefined;
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
      f.if(isWide, () => emitWidenRows(f, p.x, wideRows, i32Rows(rows, rowBytes)));

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

function widePanelBytes(k: number): number {
  return roundUp(k, 4) * PANEL_COLUMNS * 2;
}

function i32Rows(rows: Local<'i32'>, rowBytes: number): ReturnType<typeof i32.mul> {
  return i32.mul(rows, rowBytes);
}

/** Bytes to i16, in order. `bytes` is a multiple of 16. */
function emitWidenRows(
  f: FunctionBuilder,
  from: Local<'i32'>,
  to: Local<'i32'>,
  bytes: ReturnType<typeof i32.mul>,
): void {
  const source = f.let(from);
  const target = f.let(to);
  const end = f.let(i32.add(from, bytes));
  f.whileBelow(source, end, 16, () => {
    const vector = f.let(v128.load(source));
    f.do(v128.store(target, i16x8.extendLowI8x16U(vector)));
    f.do(v128.store(target, i16x8.extendHighI8x16U(vector), 16));
    f.increment(target, 32);
  });
}

const EVEN_PAIRS = [0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15];

/** One panel [k/4][8][4] of bytes to [k/2][8][2] of i16. */
function emitWidenPanel(f: FunctionBuilder, from: Local<'i32'>, to: Local<'i32'>, k: number): void {
  const source = f.let(from);
  const target = f.let(to);
  const end = f.let(i32.add(from, k * PANEL_COLUMNS));
  f.loop((again) => {
    // Four columns of four k: the first pairs of each column, then the second ones.
    const halves = [0, 16].map((offset) => {
      const vector = f.let(v128.load(source, offset));
      return f.let(i8x16.shuffle(vector, vector, EVEN_PAIRS));
    });
    halves.forEach((half, index) => {
      f.do(v128.store(target, i16x8.extendLowI8x16S(half), 16 * index));
      f.do(v128.store(target, i16x8.extendHighI8x16S(half), 32 + 16 * index));
    });
    f.increment(target, 64);
    f.increment(source, 32);
    f.branchIf(again, i32.ltU(source, end));
  });
}
