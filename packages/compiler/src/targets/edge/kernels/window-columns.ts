import { i32, type Expr, type FunctionBuilder, type Local } from '../../../wasm/index.ts';
import type { WindowSpec } from './gather-patches.ts';

/** Where a tap is read; undefined in the padding at a side. */
export type TapAddress = { readonly address: Expr<'i32'>; readonly offset: number } | undefined;

export interface WindowColumns {
  /** Input rows under the window, from the map's left edge; rows of padding among them. */
  readonly rows: readonly Local<'i32'>[];
  /** The first output pixel, and bytes from one to the next. */
  readonly y: Local<'i32'>;
  readonly yStride: number;
}

/** Where taps are (row by row) for an output pixel that goes to `to` + `offset`. */
export type EmitPixel = (tap: (index: number) => TapAddress, to: Local<'i32'>, offset: number) => void;

/** One row of output pixels: a loop over those whose windows lie inside, code of its own for each at the borders. */
export function emitWindowColumns(
  f: FunctionBuilder,
  spec: WindowSpec,
  { rows, y, yStride }: WindowColumns,
  pixel: EmitPixel,
): void {
  const { kernel, strides, dilations, width, xStride, outWidth } = spec;
  const { first, last } = insideColumns(spec);
  const border = (column: number): void => {
    const tap = (index: number): TapAddress => {
      const x = inputColumn(spec, column, index % kernel[1]);
      const isInside = x >= 0 && x < width;
      return isInside ? { address: rows[Math.floor(index / kernel[1])]!, offset: x * xStride } : undefined;
    };
    pixel(tap, y, column * yStride);
  };
  for (let column = 0; column < first; column++) border(column);
  if (first < last) {
    const left = inputColumn(spec, first, 0) * xStride;
    const ats = rows.map((row) => f.let(i32.add(row, left)));
    const to = f.let(i32.add(y, first * yStride));
    const end = f.let(i32.add(y, last * yStride));
    f.loop((next) => {
      const tap = (index: number): TapAddress => ({
        address: ats[Math.floor(index / kernel[1])]!,
        offset: (index % kernel[1]) * dilations[1] * xStride,
      });
      pixel(tap, to, 0);
      for (const at of ats) f.increment(at, strides[1] * xStride);
      f.increment(to, yStride);
      f.branchIf(next, i32.ltU(to, end));
    });
  }
  for (let column = Math.max(first, last); column < outWidth; column++) border(column);
}

function inputColumn({ strides, dilations, pads }: WindowSpec, column: number, kx: number): number {
  return column * strides[1] + kx * dilations[1] - pads[1];
}

/** Output columns [first, last) whose windows lie inside the map. */
function insideColumns(spec: WindowSpec): { first: number; last: number } {
  const isInside = (column: number): boolean =>
    inputColumn(spec, column, 0) >= 0 && inputColumn(spec, column, spec.kernel[1] - 1) < spec.width;
  const columns = Array.from({ length: spec.outWidth }, (_, column) => column);
  const first = columns.findIndex(isInside);
  return first < 0 ? { first: spec.outWidth, last: 0 } : { first, last: columns.findLastIndex(isInside) + 1 };
}

/** The input row under row ky of the window of output row outY, or the row of padding. */
export function emitInputRow(
  f: FunctionBuilder,
  { height, width, xStride, strides, dilations, pads }: WindowSpec,
  p: { x: Local<'i32'>; outY: Local<'i32'>; padding: Local<'i32'> },
  ky: number,
): Local<'i32'> {
  const y = f.let(i32.add(i32.mul(p.outY, strides[0]), ky * dilations[0] - pads[0]));
  const row = f.let(p.padding);
  f.if(i32.ltU(y, height), () => f.set(row, i32.add(p.x, i32.mul(y, width * xStride))));
  return row;
}
