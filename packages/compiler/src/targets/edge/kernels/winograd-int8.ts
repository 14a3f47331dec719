import {
  i16x8,
  i32,
  i32x4,
  i8x16,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import { byteEpilogue } from './byte-epilogue.ts';
import {
  emitGatherPatches,
  PATCH_OVERHANG_BYTES,
  patchStride,
  type ByteWindowSpec,
} from './gather-patches.ts';
import { emitInt8Rows, PANEL_COLUMNS, type TileEpilogue } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { BYTE_LIMITS_BYTES, emitByteLimits } from './requantize.ts';
import type { RowCounts } from './row-tiles.ts';
import { SCALE_EPILOGUE } from './scale-epilogue.ts';
import { roundUp } from './vector-code.ts';
import { EVEN_PAIRS } from './widen.ts';
import {
  inputColumn,
  inputRow,
  KERNEL_SCALE,
  kernelColumn,
  kernelRow,
  outputColumn,
  outputRow,
  POSITIONS,
  TILE,
  TILE_INPUT,
  tileCount,
  tileWindow,
  type Arithmetic,
} from './winograd.ts';

export interface WinogradInt8Spec {
  /** Output channels. */
  n: number;
  /** Of the output; undefined: the output is float32, float(Σ + bias)·multiplier. */
  zeroPoint: number | undefined;
  /** Whether all results, in steps of the output's grid, are below ROUNDABLE. */
  isRoundable: boolean;
  /** Bytes from pixel to pixel of the output: room for n elements rounded up to 8. */
  yStride: number;
  /** 3×3 with strides and dilations of 1. */
  window: ByteWindowSpec;
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

const PARAMS = {
  x: 'i32',
  /** As in emitConvInt8. */
  weights: 'i32',
  bias: 'i32',
  multiplier: 'i32',
  y: 'i32',
  /** winogradInt8ScratchBytes bytes of this thread. */
  scratch: 'i32',
  /** Output pixels: from an even row of the map to an even row or its end. */
  m0: 'i32',
  m1: 'i32',
} as const;

/** Of the inputs of the tiles that are worked on together: they are read once for each panel, from the second-level cache. */
const INPUT_BYTES = 160 * 1024;

/** Bytes of one matrix of transformed inputs, for one tile. */
function inputStride({ tapBytes }: ByteWindowSpec): number {
  return 2 * roundUp(tapBytes, 8);
}

/** Tiles that are worked on together in a block of so many pixels. */
function tilesTogether(window: ByteWindowSpec, pixels: number): number {
  const tiles = tileCount(window, pixels);
  const most = Math.max(1, Math.floor(INPUT_BYTES / (POSITIONS * inputStride(window))));
  return Math.ceil(tiles / Math.ceil(tiles / most));
}

interface Layout {
  readonly patches: number;
  readonly inputs: number;
  readonly panel: number;
  readonly products: number;
  readonly end: number;
}

function scratchLayout({ window }: WinogradInt8Spec, tiles: number): Layout {
  const patches = BYTE_LIMITS_BYTES;
  const inputs = roundUp(patches + tiles * patchStride(tileWindow(window)) + PATCH_OVERHANG_BYTES, 16);
  const panel = inputs + POSITIONS * tiles * inputStride(window);
  const products = panel + POSITIONS * panelBytes(window);
  return { patches, inputs, panel, products, end: products + POSITIONS * tiles * SUMS_BYTES };
}

/** Sums of one panel, one tile and one position. */
const SUMS_BYTES = 4 * PANEL_COLUMNS;

/** A panel of 16-bit weights of one position. */
function panelBytes({ tapBytes }: ByteWindowSpec): number {
  return 2 * tapBytes * PANEL_COLUMNS;
}

/** Scratch that one call needs for this many pixels. */
export function winogradInt8ScratchBytes(spec: WinogradInt8Spec, pixels: number): number {
  return scratchLayout(spec, tilesTogether(spec.window, pixels)).end;
}

/**
 * A 3×3 convolution over bytes with a third of the products (winograd.ts), in 16 bits: transformed inputs are at most
 * 2550, transformed weights 9216, and sums are exact, since what they are a multiple of divides them again.
 * For modes i16 and pairs.
 */
export function emitWinogradInt8(
  library: KernelLibrary,
  spec: WinogradInt8Spec,
  maxPixels: number,
  pixelCounts?: RowCounts,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('winograd int8', { ...spec, maxPixels, pixelCounts }, (name) => {
    const { window, zeroPoint, n } = spec;
    const together = tilesTogether(window, maxPixels);
    const layout = scratchLayout(spec, together);
    const gather = emitGatherPatches(library, tileWindow(window));
    const transformInputs = emitInputs(library, window, together);
    const transformPanel = emitPanel(library, window.tapBytes);
    const multiply = emitInt8Rows(
      library,
      { form: 'i16', k: window.tapBytes, xStride: inputStride(window) },
      STORE_SUMS,
      chunkSizes(window, together, pixelCounts),
    );
    const finish = emitOutputs(library, spec, together);

    return library.module.function(name, { params: PARAMS }, (f, p) => {
      const at = (offset: number): Local<'i32'> => f.let(i32.add(p.scratch, offset));
      const [patches, inputs, panel, products] = [
        at(layout.patches),
        at(layout.inputs),
        at(layout.panel),
        at(layout.products),
      ];
      if (zeroPoint !== undefined) emitByteLimits(library, f, p.scratch, zeroPoint);
      const tile = f.let(tileAt(window, p.m0));
      const end = f.let(tileAt(window, i32.add(p.m1, window.outWidth)));
      const [weights, bias, multiplier, y, next, count, x, w, sums] = Array.from({ length: 9 }, () =>
        f.local('i32'),
      ) as [
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
      ];
      f.whileBelow(tile, end, together, () => {
        f.set(next, i32.add(tile, together));
        f.if(i32.gtS(next, end), () => f.set(next, end));
        f.set(count, i32.sub(next, tile));
        f.call(gather, { x: p.x, patches, m0: tile, m1: next });
        f.call(transformInputs, { patches, inputs, tiles: count });
        f.set(weights, p.weights);
        f.set(bias, p.bias);
        f.set(multiplier, p.multiplier);
        f.set(y, p.y);
        f.whileBelow(f.let(i32.const(0)), roundUp(n, PANEL_COLUMNS) / PANEL_COLUMNS, 1, () => {
          f.call(transformPanel, { weights, panel });
          f.set(x, inputs);
          f.set(w, panel);
          f.set(sums, products);
          f.whileBelow(
            sums,
            f.let(i32.add(products, POSITIONS * together * SUMS_BYTES)),
            together * SUMS_BYTES,
            () => {
              f.call(multiply, { x, w, y: sums, yStride: SUMS_BYTES, pairFlags: 0, rows: count });
              f.increment(x, together * inputStride(window));
              f.increment(w, panelBytes(window));
            },
          );
          f.call(finish, { products, bias, multiplier, limits: p.scratch, y, tile, end: next, m1: p.m1 });
          f.increment(weights, 9 * window.tapBytes * PANEL_COLUMNS);
          f.increment(bias, 4 * PANEL_COLUMNS);
          f.increment(multiplier, 4 * PANEL_COLUMNS);
          f.increment(y, zeroPoint === undefined ? 4 * PANEL_COLUMNS : PANEL_COLUMNS);
        });
      });
    });
  });
}

/** The first tile of the rows that begin at a pixel; of an odd row the tile before which it lies. */
function tileAt(window: ByteWindowSpec, pixel: Expr<'i32'>): Expr<'i32'> {
  const row = i32.divU(pixel, window.outWidth * TILE[0]);
  return i32.mul(row, tileWindow(window).outWidth);
}

/** How many tiles are multiplied at a time, where blocks have so many pixels. */
function chunkSizes(window: ByteWindowSpec, together: number, pixelCounts: RowCounts): RowCounts {
  return pixelCounts?.flatMap((pixels) => {
    const tiles = tileCount(window, pixels);
    return [Math.min(together, tiles), tiles % together].filter((count) => count > 0);
  });
}

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

/** Operations on lanes whose results are kept in locals, since expressions are written out wherever they are used. */
function arithmeticOn(f: FunctionBuilder, lanes: typeof i16x8 | typeof i32x4): Arithmetic<Local<'v128'>> {
  return {
    add: (a, b) => f.let(lanes.add(a, b)),
    sub: (a, b) => f.let(lanes.sub(a, b)),
    times: (a, factor) => f.let(lanes.shl(a, Math.log2(factor))),
  };
}

/** Patches [tile][4][6][tapBytes] of bytes to [position][tile][channels] of i16, eight channels at a time. */
function emitInputs(
  library: KernelLibrary,
  window: ByteWindowSpec,
  together: number,
): FunctionRef<{ readonly patches: 'i32'; readonly inputs: 'i32'; readonly tiles: 'i32' }, undefined> {
  const { tapBytes } = window;
  const params = { patches: 'i32', inputs: 'i32', tiles: 'i32' } as const;
  return library.once('winograd inputs', { tapBytes, together }, (name) =>
    library.module.function(name, { params }, (f, p) => {
      const arithmetic = arithmeticOn(f, i16x8);
      const from = f.local('i32');
      const end = f.local('i32');
      f.whileBelow(f.local('i32'), p.tiles, 1, () => {
        f.set(from, p.patches);
        f.set(end, i32.add(from, roundUp(tapBytes, 8)));
        f.whileBelow(from, end, 8, () => {
          for (let row = 0; row < TILE_INPUT[0]; row++) {
            const column = (x: number): Local<'v128'> =>
              inputColumn(arithmetic, row, (y) =>
                f.let(i16x8.load8x8U(from, (y * TILE_INPUT[1] + x) * tapBytes)),
              );
            const sums = inputRow(arithmetic, [
              column(0),
              column(1),
              column(2),
              column(3),
              column(4),
              column(5),
            ]);
            sums.forEach((sum, x) => {
              const position = row * TILE_INPUT[1] + x;
              f.do(v128.store(p.inputs, sum, position * together * inputStride(window)));
            });
          }
          f.increment(p.inputs, 16);
        });
        f.increment(p.patches, patchStride(tileWindow(window)));
      });
    }),
  );
}

/** One panel [9][k/4][8][4] of bytes to [position][k/2][8][2] of i16. */
function emitPanel(
  library: KernelLibrary,
  tapBytes: number,
): FunctionRef<{ readonly weights: 'i32'; readonly panel: 'i32' }, undefined> {
  const params = { weights: 'i32', panel: 'i32' } as const;
  return library.once('winograd panel', { tapBytes }, (name) =>
    library.module.function(name, { params }, (f, p) => {
      const arithmetic = arithmeticOn(f, i16x8);
      const end = f.let(i32.add(p.weights, tapBytes * PANEL_COLUMNS));
      const tap = (index: number, extend: (x: Expr<'v128'>) => Expr<'v128'>): Local<'v128'> => {
        const vector = f.let(v128.load(p.weights, index * tapBytes * PANEL_COLUMNS));
        return f.let(extend(i8x16.shuffle(vector, vector, EVEN_PAIRS)));
      };
      // Four columns of four k at a time: the first pairs of each column, then the second ones.
      f.loop((again) => {
        [i16x8.extendLowI8x16S, i16x8.extendHighI8x16S].forEach((extend, half) => {
          const columns = [0, 1, 2].map((x) =>
            kernelColumn(arithmetic, [tap(x, extend), tap(3 + x, extend), tap(6 + x, extend)]),
          );
          for (let row = 0; row < TILE_INPUT[0]; row++) {
            const [a, b, c] = columns.map((column) => column[row]!) as [
              Local<'v128'>,
              Local<'v128'>,
              Local<'v128'>,
            ];
            kernelRow(arithmetic, [a, b, c]).forEach((weight, x) => {
              const position = row * TILE_INPUT[1] + x;
              f.do(v128.store(p.panel, weight, position * 2 * tapBytes * PANEL_COLUMNS + 32 * half));
            });
          }
        });
        f.increment(p.weights, 16);
        // Columns 0–3, columns 4–7, then the next four k.
        f.increment(p.panel, 16);
        f.if(i32.eqz(i32.and(i32.sub(end, p.weights), 16)), () => f.increment(p.panel, 32));
        f.branchIf(again, i32.ltU(p.weights, end));
      });
    }),
  );
}

const OUTPUT_PARAMS = {
  products: 'i32',
  bias: 'i32',
  multiplier: 'i32',
  limits: 'i32',
  /** Where this panel of pixel 0 is. */
  y: 'i32',
  tile: 'i32',
  end: 'i32',
  m1: 'i32',
} as const;

/** 1/3 modulo 2³². */
const INVERSE_OF_3 = 0xaaaaaaab | 0;

/** Sums [position][tile][8] to pixels of the output. */
function emitOutputs(
  library: KernelLibrary,
  spec: WinogradInt8Spec,
  together: number,
): FunctionRef<typeof OUTPUT_PARAMS, undefined> {
  return library.once('winograd outputs', { ...spec, together }, (name) => {
    const { window, yStride, zeroPoint } = spec;
    const epilogue = zeroPoint === undefined ? SCALE_EPILOGUE : byteEpilogue(library, spec.isRoundable);
    const across = tileWindow(window).outWidth;
    return library.module.function(name, { params: OUTPUT_PARAMS }, (f, p) => {
      const arithmetic = arithmeticOn(f, i32x4);
      const tileRow = f.let(i32.divU(p.tile, across));
      const tileColumn = f.let(i32.sub(p.tile, i32.mul(tileRow, across)));
      const pixel = f.local('i32');
      const y = f.local('i32');
      const pointers = { ...p, x: y, w: y, pairFlags: y, y, yStride: f.let(i32.const(yStride)), count: y };
      const sumsOf = (row: number, half: number): readonly Local<'v128'>[] => {
        const column = (x: number): Local<'v128'> =>
          outputColumn(arithmetic, row, (index) =>
            f.let(v128.load(p.products, (index * TILE_INPUT[1] + x) * together * SUMS_BYTES + 16 * half)),
          );
        const sums = outputRow(arithmetic, [
          column(0),
          column(1),
          column(2),
          column(3),
          column(4),
          column(5),
        ]);
        return sums.map((sum) => f.let(i32x4.mul(i32x4.shrS(sum, 4), library.splatBits(INVERSE_OF_3))));
      };
      f.whileBelow(p.tile, p.end, 1, () => {
        for (let row = 0; row < TILE[0]; row++) {
          const first = i32.mul(i32.add(i32.mul(tileRow, TILE[0]), row), window.outWidth);
          f.set(pixel, i32.add(first, i32.mul(tileColumn, TILE[1])));
          f.if(i32.ltS(pixel, p.m1), () => {
            f.set(y, i32.add(p.y, i32.mul(pixel, yStride)));
            const [low, high] = [sumsOf(row, 0), sumsOf(row, 1)];
            const sums = low.map((sum, index) => [sum, high[index]!] as const);
            const partial = window.outWidth % TILE[1];
            if (partial === 0) return epilogue.emit(f, pointers, sums);
            f.if(
              i32.eq(tileColumn, across - 1),
              () => epilogue.emit(f, pointers, sums.slice(0, partial)),
              () => epilogue.emit(f, pointers, sums),
            );
          });
        }
        f.increment(p.products, SUMS_BYTES);
        f.increment(tileColumn, 1);
        f.if(i32.eq(tileColumn, across), () => {
          f.set(tileColumn, 0);
          f.increment(tileRow, 1);
        });
      });
    });
  });
}
