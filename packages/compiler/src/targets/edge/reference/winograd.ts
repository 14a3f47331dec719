import type { Activation } from '../kernels/finish-panel.ts';
import type { WindowSpec } from '../kernels/gather-patches.ts';
import {
  inputColumn,
  inputRow,
  KERNEL_SCALE,
  outputColumn,
  outputRow,
  POSITIONS,
  TILE,
  TILE_INPUT,
  transformKernel,
  type Arithmetic,
} from '../kernels/winograd.ts';
import type { FloatKernel } from './float-maps.ts';
import { add, mul, sub } from './math.ts';
import { activate } from './rows.ts';

const FLOATS: Arithmetic<number> = { add, sub, times: mul };

/** convF32 of a 3×3 kernel with strides and dilations of 1, by tiles: the bits of emitWinogradF32. */
export function winogradF32(
  x: { channels: number; values: Float32Array },
  { filters, weights, bias }: FloatKernel,
  window: WindowSpec,
  outHeight: number,
  activation: Activation,
): Float32Array {
  const { channels } = x;
  const y = new Float32Array(outHeight * window.outWidth * filters);
  const kernels = Array.from({ length: filters * channels }, (_, index) => {
    const positions = new Float32Array(POSITIONS);
    transformKernel(
      FLOATS,
      (tap) => weights[9 * index + tap]!,
      (position, value) => {
        positions[position] = value;
      },
    );
    return positions;
  });
  for (let top = 0; top < outHeight; top += TILE[0]) {
    for (let left = 0; left < window.outWidth; left += TILE[1]) {
      const inputs = Array.from({ length: channels }, (_, channel) =>
        tileInputs(x, window, { top, left, channel }),
      );
      for (let filter = 0; filter < filters; filter++) {
        const sums = new Float32Array(POSITIONS);
        inputs.forEach((input, channel) => {
          const kernel = kernels[filter * channels + channel]!;
          for (let at = 0; at < POSITIONS; at++) sums[at] = add(sums[at]!, mul(input[at]!, kernel[at]!));
        });
        tileOutputs(sums).forEach((value, index) => {
          const [row, column] = [top + Math.floor(index / TILE[1]), left + (index % TILE[1])];
          if (row >= outHeight || column >= window.outWidth) return;
          y[(row * window.outWidth + column) * filters + filter] = add(value, bias[filter]!);
        });
      }
    }
  }
  return activate(y, activation);
}

/** Transformed inputs of one channel of the tile whose first output is at (top, left); outside the map is 0. */
function tileInputs(
  { channels, values }: { channels: number; values: Float32Array },
  { height, width, pads }: WindowSpec,
  { top, left, channel }: { top: number; left: number; channel: number },
): number[] {
  const pixel = (row: number, column: number): number => {
    const [y, x] = [top - pads[0] + row, left - pads[1] + column];
    return y >= 0 && y < height && x >= 0 && x < width ? values[(y * width + x) * channels + channel]! : 0;
  };
  return Array.from({ length: TILE_INPUT[0] }, (_, row) => {
    const column = (x: number): number => inputColumn(FLOATS, row, (y) => pixel(y, x));
    return inputRow(FLOATS, [column(0), column(1), column(2), column(3), column(4), column(5)]);
  }).flat();
}

function tileOutputs(sums: Float32Array): number[] {
  return Array.from({ length: TILE[0] }, (_, row) => {
    const column = (x: number): number => outputColumn(FLOATS, row, (y) => sums[y * TILE_INPUT[1] + x]!);
    const results = outputRow(FLOATS, [column(0), column(1), column(2), column(3), column(4), column(5)]);
    return results.map((value) => mul(value, Math.fround(1 / KERNEL_SCALE)));
  }).flat();
}
