import type { WindowSpec } from './gather-patches.ts';

// Winograd's minimal filtering of 3×3 windows, F(2×4, 3×3): a tile of two by four outputs takes 24 products for each pair of
// channels instead of 72. Y = Aᵀ[(G·g·Gᵀ) ∘ (Bᵀ·d·B)]A, summed over the channels before Aᵀ and A
// (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, sections 4.1 and 4.2). G is multiplied by 2 along
// the columns and by 24 along the rows, so that all of it is whole numbers, and results are KERNEL_SCALE too large.

/** Outputs of a tile, [vertical, horizontal]. */
export const TILE = [2, 4] as const;
/** What a tile reads. */
export const TILE_INPUT = [4, 6] as const;
/** Products of a tile for each pair of channels: matrices to multiply. */
export const POSITIONS = 24;
/** By how much the sums are too large. */
export const KERNEL_SCALE = 48;

/** What transforms are made of; factors are powers of two. */
export interface Arithmetic<T> {
  readonly add: (a: T, b: T) => T;
  readonly sub: (a: T, b: T) => T;
  readonly times: (a: T, factor: number) => T;
}

type Three<T> = readonly [T, T, T];
type Four<T> = readonly [T, T, T, T];
type Six<T> = readonly [T, T, T, T, T, T];

/** Of each row of Bᵀ. */
const INPUT_COLUMNS = [
  [0, 'sub', 2],
  [1, 'add', 2],
  [2, 'sub', 1],
  [1, 'sub', 3],
] as const;

/** A row of Bᵀ·d, for one column of four inputs. */
export function inputColumn<T>(arithmetic: Arithmetic<T>, row: number, input: (index: number) => T): T {
  const [first, operation, second] = INPUT_COLUMNS[row]!;
  return arithmetic[operation](input(first), input(second));
}

/** d·B along a row; the second and the third have their signs turned, as those of kernelRow. */
export function inputRow<T>({ add, sub, times }: Arithmetic<T>, [d0, d1, d2, d3, d4, d5]: Six<T>): Six<T> {
  const even = sub(times(d2, 4), d4);
  const odd = sub(times(d1, 4), d3);
  const rest = sub(d4, d2);
  const difference = sub(d3, d1);
  const twice = times(difference, 2);
  return [
    add(times(sub(d0, d2), 4), rest),
    add(even, odd),
    sub(even, odd),
    add(rest, twice),
    sub(rest, twice),
    sub(sub(d5, d3), times(difference, 4)),
  ];
}

/** 2·G·g down a column. */
function kernelColumn<T>({ add, sub, times }: Arithmetic<T>, [g0, g1, g2]: Three<T>): Four<T> {
  const outer = add(g0, g2);
  return [times(g0, 2), add(outer, g1), sub(outer, g1), times(g2, 2)];
}

/** 24·g·Gᵀ along a row. */
function kernelRow<T>({ add, sub, times }: Arithmetic<T>, [g0, g1, g2]: Three<T>): Six<T> {
  const outer = add(g0, g2);
  const quarter = add(g0, times(g2, 4));
  const half = times(g1, 2);
  return [
    add(times(g0, 4), times(g0, 2)),
    times(add(outer, g1), 4),
    times(sub(outer, g1), 4),
    add(quarter, half),
    sub(quarter, half),
    add(times(g2, 16), times(g2, 8)),
  ];
}

/** All of 48·G·g·Gᵀ, position by position, of the nine taps of a kernel. */
export function transformKernel<T>(
  arithmetic: Arithmetic<T>,
  tap: (index: number) => T,
  visit: (position: number, value: T) => void,
): void {
  const [left, middle, right] = [0, 1, 2].map((x) =>
    kernelColumn(arithmetic, [tap(x), tap(3 + x), tap(6 + x)]),
  ) as [Four<T>, Four<T>, Four<T>];
  for (let row = 0; row < TILE_INPUT[0]; row++) {
    kernelRow(arithmetic, [left[row]!, middle[row]!, right[row]!]).forEach((value, x) =>
      visit(row * TILE_INPUT[1] + x, value),
    );
  }
}

/** A row of Aᵀ·m, for one column of four products. */
export function outputColumn<T>({ add, sub }: Arithmetic<T>, row: number, product: (index: number) => T): T {
  return row === 0
    ? add(add(product(0), product(1)), product(2))
    : sub(sub(product(1), product(2)), product(3));
}

/** m·A along a row. */
export function outputRow<T>({ add, sub, times }: Arithmetic<T>, [m0, m1, m2, m3, m4, m5]: Six<T>): Four<T> {
  const [inner, outer] = [add(m1, m2), add(m3, m4)];
  const [innerOdd, outerOdd] = [sub(m1, m2), sub(m3, m4)];
  return [
    add(add(m0, inner), outer),
    add(innerOdd, times(outerOdd, 2)),
    add(inner, times(outer, 4)),
    add(add(innerOdd, times(outerOdd, 8)), m5),
  ];
}

/** The window that reads the inputs of tiles, whose number in a row is its outWidth. */
export function tileWindow<W extends WindowSpec>(window: W): W {
  return { ...window, kernel: TILE_INPUT, strides: TILE, outWidth: tilesAcross(window) };
}

function tilesAcross({ outWidth }: WindowSpec): number {
  return Math.ceil(outWidth / TILE[1]);
}

/** Rows of pixels that tiles make at a time. */
export function tileRowPixels({ outWidth }: WindowSpec): number {
  return TILE[0] * outWidth;
}

/** Tiles that cover whole rows of `pixels` outputs. */
export function tileCount(window: WindowSpec, pixels: number): number {
  return Math.ceil(pixels / tileRowPixels(window)) * tilesAcross(window);
}

/** What transforms and partly filled tiles cost, as a factor of the products. */
const OVERHEAD = 1.3;
/** The weights' transform, for each block, in tiles. */
const TRANSFORM_TILES = 3;
/** With fewer channels the transforms cost more than they save. */
const LEAST_CHANNELS = 8;

/** Whether a convolution from `channels` to `filters` over a map of so many output pixels is quicker with tiles. */
export function suitsWinograd(
  window: WindowSpec,
  channels: number,
  filters: number,
  pixels: number,
): boolean {
  const { kernel, strides, dilations } = window;
  const isPlain =
    kernel.every((extent) => extent === 3) && [...strides, ...dilations].every((step) => step === 1);
  const tiles = tileCount(window, pixels) + TRANSFORM_TILES;
  return (
    isPlain && Math.min(channels, filters) >= LEAST_CHANNELS && OVERHEAD * POSITIONS * tiles < 9 * pixels
  );
}
