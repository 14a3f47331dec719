import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  v128,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type Local,
} from '../../../wasm/index.ts';
import {
  emitGatherPatches,
  PATCH_OVERHANG_BYTES,
  patchStride,
  type ByteWindowSpec,
  type WindowSpec,
} from './gather-patches.ts';
import { PANEL_COLUMNS, type TileEpilogue } from './int8-tile.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { RowCounts } from './row-tiles.ts';
import { roundUp } from './vector-code.ts';
import {
  inputColumn,
  inputRow,
  outputColumn,
  outputRow,
  POSITIONS,
  TILE,
  TILE_INPUT,
  tileCount,
  tileWindow,
  type Arithmetic,
} from './winograd.ts';

// What 3×3 convolutions by Winograd's method share, whatever they multiply: patches of some tiles are gathered and transformed;
// then for each panel of eight filters its weights are transformed, multiplied in every position, and the sums become pixels.

export interface WinogradSpec {
  /** Output channels. */
  readonly n: number;
  /** Bytes from pixel to pixel of the output. */
  readonly yStride: number;
  /** 3×3 with strides and dilations of 1. */
  readonly window: WindowSpec | ByteWindowSpec;
}

export const WINOGRAD_PARAMS = {
  x: 'i32',
  /** Panels over a patch, as a direct convolution has them. */
  weights: 'i32',
  bias: 'i32',
  /** Floats per filter, where the epilogue reads them. */
  multiplier: 'i32',
  y: 'i32',
  /** winogradScratchBytes bytes of this thread. */
  scratch: 'i32',
  /** Output pixels: from an even row of the map to an even row or its end. */
  m0: 'i32',
  m1: 'i32',
} as const;

/** What is multiplied. */
export interface WinogradElement {
  readonly name: 'int8' | 'f32';
  /** Of an element as it lies in a map and in the weights. */
  readonly bytes: 1 | 4;
  /** Of a transformed one. */
  readonly wideBytes: 2 | 4;
}

export const WINOGRAD_INT8: WinogradElement = { name: 'int8', bytes: 1, wideBytes: 2 };
export const WINOGRAD_F32: WinogradElement = { name: 'f32', bytes: 4, wideBytes: 4 };

/** Of the inputs of the tiles that are worked on together: they are read for each panel, from the second-level cache. */
const INPUT_BYTES = 160 * 1024;

/** Sums of one panel, one tile and one position. */
export const SUMS_BYTES: number = 4 * PANEL_COLUMNS;

/** At the start of the scratch, for the epilogue. */
const EPILOGUE_BYTES = 16;

/** Channels of a patch. */
function channels({ tapBytes }: WindowSpec, { bytes }: WinogradElement): number {
  return tapBytes / bytes;
}

/** Bytes of a tile's transformed inputs of one position: whole vectors. */
export function inputStride(window: WindowSpec, element: WinogradElement): number {
  return roundUp(element.wideBytes * channels(window, element), 16);
}

/** Bytes of a panel's transformed weights of one position. */
export function panelBytes(window: WindowSpec, element: WinogradElement): number {
  return element.wideBytes * channels(window, element) * PANEL_COLUMNS;
}

/** Tiles that are worked on together in a block of so many pixels. */
function tilesTogether(window: WindowSpec, element: WinogradElement, pixels: number): number {
  const tiles = tileCount(window, pixels);
  const most = Math.max(1, Math.floor(INPUT_BYTES / (POSITIONS * inputStride(window, element))));
  return Math.ceil(tiles / Math.ceil(tiles / most));
}

interface Layout {
  readonly patches: number;
  readonly inputs: number;
  readonly panel: number;
  readonly products: number;
  readonly end: number;
}

function scratchLayout(window: WindowSpec, element: WinogradElement, tiles: number): Layout {
  const patches = EPILOGUE_BYTES;
  const inputs = roundUp(patches + tiles * patchStride(tileWindow(window)) + PATCH_OVERHANG_BYTES, 16);
  const panel = inputs + POSITIONS * tiles * inputStride(window, element);
  const products = panel + POSITIONS * panelBytes(window, element);
  return { patches, inputs, panel, products, end: products + POSITIONS * tiles * SUMS_BYTES };
}

/** Scratch that one call needs for this many pixels. */
export function winogradScratchBytes(
  { window }: WinogradSpec,
  element: WinogradElement,
  pixels: number,
): number {
  return scratchLayout(window, element, tilesTogether(window, element, pixels)).end;
}

/** How many tiles are multiplied at a time, where blocks have so many pixels. */
export function togetherCounts(
  window: WindowSpec,
  element: WinogradElement,
  maxPixels: number,
  pixelCounts: RowCounts,
): RowCounts {
  const together = tilesTogether(window, element, maxPixels);
  return pixelCounts?.flatMap((pixels) => {
    const tiles = tileCount(window, pixels);
    return [Math.min(together, tiles), tiles % together].filter((count) => count > 0);
  });
}

type Pointers<Names extends string> = { readonly [Name in Names]: Local<'i32'> };

/** What a kind of convolution does itself. */
export interface WinogradParts {
  /** Once, before everything else. */
  readonly start: () => void;
  /** Panel [9][k][8] of weights to [position][k][8], as the products read them. */
  readonly transformPanel: FunctionRef<{ readonly weights: 'i32'; readonly panel: 'i32' }, undefined>;
  /** The products of one position of `count` tiles: eight sums each, SUMS_BYTES apart. */
  readonly multiply: (p: Pointers<'x' | 'w' | 'sums' | 'count'>) => void;
  /** From sums that are KERNEL_SCALE too large. */
  readonly unscale: (sum: Local<'v128'>) => Expr<'v128'>;
  readonly epilogue: TileEpilogue<EpilogueParams>;
  /** Of eight elements of the output. */
  readonly yPanelBytes: number;
}

type EpilogueParams = { readonly bias: 'i32'; readonly multiplier: 'i32'; readonly limits: 'i32' };

/** Writes the body of a kernel with WINOGRAD_PARAMS. */
export function emitWinogradBody(
  library: KernelLibrary,
  f: FunctionBuilder,
  p: Pointers<keyof typeof WINOGRAD_PARAMS>,
  {
    spec,
    element,
    maxPixels,
    parts,
  }: {
    spec: WinogradSpec;
    element: WinogradElement;
    maxPixels: number;
    parts: WinogradParts;
  },
): void {
  const { window, n } = spec;
  const together = tilesTogether(window, element, maxPixels);
  const layout = scratchLayout(window, element, together);
  const gather = emitGatherPatches(library, tileWindow(window));
  const transformInputs = emitInputs(library, window, element, together);
  const finish = emitOutputs(library, spec, element, together, parts);

  const at = (offset: number): Local<'i32'> => f.let(i32.add(p.scratch, offset));
  const [patches, inputs, panel, products] = [
    at(layout.patches),
    at(layout.inputs),
    at(layout.panel),
    at(layout.products),
  ];
  parts.start();
  const tile = f.let(tileAt(window, p.m0));
  const end = f.let(tileAt(window, i32.add(p.m1, window.outWidth)));
  const next = f.local('i32');
  const count = f.local('i32');
  f.whileBelow(tile, end, together, () => {
    f.set(next, i32.add(tile, together));
    f.if(i32.gtS(next, end), () => f.set(next, end));
    f.set(count, i32.sub(next, tile));
    f.call(gather, { x: p.x, patches, m0: tile, m1: next });
    f.call(transformInputs, { patches, inputs, tiles: count });
    const [weights, bias, multiplier, y] = [p.weights, p.bias, p.multiplier, p.y].map((pointer) =>
      f.let(pointer),
    ) as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
    f.whileBelow(f.let(i32.const(0)), roundUp(n, PANEL_COLUMNS) / PANEL_COLUMNS, 1, () => {
      f.call(parts.transformPanel, { weights, panel });
      const [x, w, sums] = [f.let(inputs), f.let(panel), f.let(products)];
      f.whileBelow(f.let(i32.const(0)), POSITIONS, 1, () => {
        parts.multiply({ x, w, sums, count });
        f.increment(x, together * inputStride(window, element));
        f.increment(w, panelBytes(window, element));
        f.increment(sums, together * SUMS_BYTES);
      });
      f.call(finish, { products, bias, multiplier, limits: p.scratch, y, tile, end: next, m1: p.m1 });
      f.increment(weights, 9 * window.tapBytes * PANEL_COLUMNS);
      f.increment(bias, 4 * PANEL_COLUMNS);
      f.increment(multiplier, 4 * PANEL_COLUMNS);
      f.increment(y, parts.yPanelBytes);
    });
  });
}

/** The first tile of the pair of rows that a pixel is in. */
function tileAt(window: WindowSpec, pixel: Expr<'i32'>): Expr<'i32'> {
  return i32.mul(i32.divU(pixel, window.outWidth * TILE[0]), tileWindow(window).outWidth);
}

/** Operations on lanes whose results are kept in locals, since expressions are written out wherever they are used. */
export function integerArithmetic(
  f: FunctionBuilder,
  lanes: typeof i16x8 | typeof i32x4,
): Arithmetic<Local<'v128'>> {
  return {
    add: (a, b) => f.let(lanes.add(a, b)),
    sub: (a, b) => f.let(lanes.sub(a, b)),
    times: (a, factor) => f.let(lanes.shl(a, Math.log2(factor))),
  };
}

export function floatArithmetic(library: KernelLibrary, f: FunctionBuilder): Arithmetic<Local<'v128'>> {
  return {
    add: (a, b) => f.let(f32x4.add(a, b)),
    sub: (a, b) => f.let(f32x4.sub(a, b)),
    times: (a, factor) => f.let(f32x4.mul(a, library.splat(factor))),
  };
}

/** Patches [tile][4][6][channels] to [position][tile][channels], a vector of them at a time. */
function emitInputs(
  library: KernelLibrary,
  window: WindowSpec,
  element: WinogradElement,
  together: number,
): FunctionRef<{ readonly patches: 'i32'; readonly inputs: 'i32'; readonly tiles: 'i32' }, undefined> {
  const { tapBytes } = window;
  const params = { patches: 'i32', inputs: 'i32', tiles: 'i32' } as const;
  return library.once('winograd inputs', { tapBytes, element: element.name, together }, (name) =>
    library.module.function(name, { params }, (f, p) => {
      const isFloat = element.name === 'f32';
      const arithmetic = isFloat ? floatArithmetic(library, f) : integerArithmetic(f, i16x8);
      const load = isFloat ? v128.load : i16x8.load8x8U;
      const vectorBytes = (16 / element.wideBytes) * element.bytes;
      const from = f.local('i32');
      const end = f.local('i32');
      f.whileBelow(f.local('i32'), p.tiles, 1, () => {
        f.set(from, p.patches);
        f.set(end, i32.add(from, tapBytes));
        f.whileBelow(from, end, vectorBytes, () => {
          for (let row = 0; row < TILE_INPUT[0]; row++) {
            const column = (x: number): Local<'v128'> =>
              inputColumn(arithmetic, row, (y) => f.let(load(from, (y * TILE_INPUT[1] + x) * tapBytes)));
            const results = inputRow(arithmetic, sixOf(column));
            results.forEach((result, x) => {
              const position = row * TILE_INPUT[1] + x;
              f.do(v128.store(p.inputs, result, position * together * inputStride(window, element)));
            });
          }
          f.increment(p.inputs, 16);
        });
        f.increment(p.patches, patchStride(tileWindow(window)));
      });
    }),
  );
}

function sixOf<T>(make: (index: number) => T): [T, T, T, T, T, T] {
  return [make(0), make(1), make(2), make(3), make(4), make(5)];
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

/** Sums [position][tile][8] to pixels of the output. */
function emitOutputs(
  library: KernelLibrary,
  { window, yStride }: WinogradSpec,
  element: WinogradElement,
  together: number,
  { unscale, epilogue }: WinogradParts,
): FunctionRef<typeof OUTPUT_PARAMS, undefined> {
  const { outWidth } = window;
  const spec = { outWidth, yStride, together, epilogue: epilogue.name };
  return library.once('winograd outputs', spec, (name) => {
    const across = tileWindow(window).outWidth;
    const partial = outWidth % TILE[1];
    return library.module.function(name, { params: OUTPUT_PARAMS }, (f, p) => {
      const arithmetic = element.name === 'f32' ? floatArithmetic(library, f) : integerArithmetic(f, i32x4);
      const tileRow = f.let(i32.divU(p.tile, across));
      const tileColumn = f.let(i32.sub(p.tile, i32.mul(tileRow, across)));
      const pixel = f.local('i32');
      const y = f.local('i32');
      const pointers = { ...p, x: y, w: y, pairFlags: y, y, yStride: f.let(i32.const(yStride)), count: y };
      const sumsOf = (row: number, half: 0 | 1): readonly Local<'v128'>[] => {
        const column = (x: number): Local<'v128'> =>
          outputColumn(arithmetic, row, (index) =>
            f.let(v128.load(p.products, (index * TILE_INPUT[1] + x) * together * SUMS_BYTES + 16 * half)),
          );
        const first = epilogue.first?.(p, half);
        return outputRow(arithmetic, sixOf(column)).map((sum) =>
          f.let(first ? i32x4.add(unscale(sum), first) : unscale(sum)),
        );
      };
      f.whileBelow(p.tile, p.end, 1, () => {
        for (let row = 0; row < TILE[0]; row++) {
          const first = i32.mul(i32.add(i32.mul(tileRow, TILE[0]), row), outWidth);
          f.set(pixel, i32.add(first, i32.mul(tileColumn, TILE[1])));
          f.if(i32.ltS(pixel, p.m1), () => {
            f.set(y, i32.add(p.y, i32.mul(pixel, yStride)));
            const [low, high] = [sumsOf(row, 0), sumsOf(row, 1)];
            const sums = low.map((sum, index) => [sum, high[index]!] as const);
            const finish = (columns: number): void => epilogue.emit(f, pointers, sums.slice(0, columns));
            if (partial === 0) return finish(TILE[1]);
            f.if(
              i32.eq(tileColumn, across - 1),
              () => finish(partial),
              () => finish(TILE[1]),
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
