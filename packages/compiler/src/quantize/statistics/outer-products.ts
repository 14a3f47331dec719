import { ScratchMachine } from '../../wasm/index.ts';
import {
  outerProductModule,
  TILE_COLUMNS,
  type OuterProductKernels,
} from './kernels/outer-product-kernel.ts';

const machine: ScratchMachine<OuterProductKernels> = new ScratchMachine<OuterProductKernels>(
  outerProductModule,
);

/** A matrix of which only the upper triangle is filled in: element (i, j) is `data[i * stride + j]`. */
export interface UpperTriangle {
  readonly data: Float32Array;
  readonly stride: number;
}

/** Σ x·xᵀ in float32 over rows x of `width` numbers; lasts until the next call. */
export function sumOuterProducts(rows: Float32Array, width: number): UpperTriangle {
  const count = rows.length / width;
  const padded = Math.ceil(width / TILE_COLUMNS) * TILE_COLUMNS;
  const stride = strideOf(padded);
  const out = 4 * count * stride;
  const { kernels, buffer } = machine.reserve(out + 4 * padded * padded);
  const x = new Float32Array(buffer, 0, count * stride).fill(0);
  for (let row = 0; row < count; row++) x.set(rows.subarray(row * width, (row + 1) * width), row * stride);
  kernels.sumOuterProducts(0, count, 4 * stride, out, padded);
  return { data: new Float32Array(buffer, out, padded * padded), stride: padded };
}

/** Floats from row to row: an odd number of cache lines, so that a column's rows do not share a set of the cache. */
function strideOf(width: number): number {
  const lines = Math.ceil(width / 16);
  return 16 * (lines + 1 - (lines % 2));
}
