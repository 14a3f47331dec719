import type { TypedArray } from '../ir/index.ts';
import { elementCount } from '../ir/index.ts';
import { asNumbers, broadcastDims, broadcastIndex } from './indexing.ts';
import { multiplyFloats } from './matrix-kernel.ts';
import { ndArray, type NdArray } from './nd-array.ts';
import type { DataType } from '../ir/index.ts';

type Numbers = Exclude<TypedArray, BigInt64Array | BigUint64Array>;

/** Rows of A that share one pass over B: each element of B that is read is used this often. */
const ROWS = 4;

/** Products from which on copying into the kernel's memory pays. */
const KERNEL_PRODUCTS = 100_000;

/**
 * out[m, n] = Σ_k a[m, k]·b[k, n] with double accumulators (exact for 8-bit integers); each sum is rounded once,
 * when it is stored.
 */
export function multiplyMatrices(
  a: Numbers,
  b: Numbers,
  out: Numbers,
  { m, k, n, aStart = 0, bStart = 0, outStart = 0 }: MatrixSizes,
): void {
  const areFloats = a instanceof Float32Array && b instanceof Float32Array && out instanceof Float32Array;
  if (areFloats && m * k * n >= KERNEL_PRODUCTS) {
    const left = a.subarray(aStart, aStart + m * k);
    const right = b.subarray(bStart, bStart + k * n);
    return multiplyFloats({ a: left, b: right, out: out.subarray(outStart, outStart + m * n), m, k, n });
  }
  const sums = new Float64Array(ROWS * n);
  for (let row = 0; row < m; row += ROWS) {
    const rows = Math.min(ROWS, m - row);
    sums.fill(0);
    for (let i = 0; i < k; i++) {
      const at = bStart + i * n;
      const a0 = a[aStart + row * k + i] as number;
      const a1 = rows > 1 ? (a[aStart + (row + 1) * k + i] as number) : 0;
      const a2 = rows > 2 ? (a[aStart + (row + 2) * k + i] as number) : 0;
      const a3 = rows > 3 ? (a[aStart + (row + 3) * k + i] as number) : 0;
      if (rows === 1) {
        for (let j = 0; j < n; j++) sums[j] = (sums[j] as number) + a0 * (b[at + j] as number);
        continue;
      }
      for (let j = 0; j < n; j++) {
        const value = b[at + j] as number;
        sums[j] = (sums[j] as number) + a0 * value;
        sums[n + j] = (sums[n + j] as number) + a1 * value;
        sums[2 * n + j] = (sums[2 * n + j] as number) + a2 * value;
        sums[3 * n + j] = (sums[3 * n + j] as number) + a3 * value;
      }
    }
    out.set(rows === ROWS ? sums : sums.subarray(0, rows * n), outStart + row * n);
  }
}

export interface MatrixSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Offsets in elements. Default 0. */
  readonly aStart?: number;
  readonly bStart?: number;
  readonly outStart?: number;
}

/** numpy's matmul: leading dims broadcast, vectors are rows on the left and columns on the right. */
export function matmul(a: NdArray, b: NdArray, dtype: DataType = a.dtype): NdArray {
  const left = a.dims.length === 1 ? [1, ...a.dims] : a.dims;
  const right = b.dims.length === 1 ? [...b.dims, 1] : b.dims;
  const [m = 1, k = 1] = left.slice(-2);
  const n = right.at(-1) as number;
  if (right.at(-2) !== k) {
    throw new RangeError(`matmul: [${a.dims.join(', ')}] times [${b.dims.join(', ')}] does not fit`);
  }
  const batch = broadcastDims(left.slice(0, -2), right.slice(0, -2));
  const leftIndex = broadcastIndex(left.slice(0, -2), batch);
  const rightIndex = broadcastIndex(right.slice(0, -2), batch);
  const sums = accumulator(dtype, elementCount(batch) * m * n);
  const [x, y] = [asNumbers(a), asNumbers(b)];
  const shared = right.length === 2 && elementCount(batch) * m > 0;
  if (shared && left.length >= 2) {
    multiplyMatrices(x, y, sums, { m: elementCount(batch) * m, k, n });
  } else {
    for (let i = 0; i < leftIndex.length; i++) {
      const aStart = (leftIndex[i] as number) * m * k;
      const bStart = (rightIndex[i] as number) * k * n;
      multiplyMatrices(x, y, sums, { m, k, n, aStart, bStart, outStart: i * m * n });
    }
  }
  const dims = [...batch, ...(a.dims.length === 1 ? [] : [m]), ...(b.dims.length === 1 ? [] : [n])];
  if (dtype !== 'int64' && dtype !== 'uint64') return { dtype, dims, data: sums };
  const exact = ndArray(dtype, dims);
  for (let i = 0; i < sums.length; i++) exact.data[i] = BigInt(sums[i] as number);
  return exact;
}

function accumulator(dtype: DataType, length: number): Numbers {
  if (dtype === 'int32') return new Int32Array(length);
  if (dtype === 'uint32') return new Uint32Array(length);
  if (dtype === 'float64' || dtype === 'int64' || dtype === 'uint64') return new Float64Array(length);
  return new Float32Array(length);
}
