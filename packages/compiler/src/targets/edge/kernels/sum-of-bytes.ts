import { roundHalfEven } from '../../../ops/float-formats.ts';
import type { ByteGrid } from './requantize.ts';

export interface ByteGrids {
  readonly a: ByteGrid;
  readonly b: ByteGrid;
  readonly output: ByteGrid;
}

/** Steps of the output's grid, its zero point included: a·ratioA + (b·ratioB + fixed). */
export interface SumOfBytes {
  readonly ratioA: number;
  readonly ratioB: number;
  readonly fixed: number;
}

const { fround } = Math;

/**
 * com.microsoft QLinearAdd on its grids, as onnxruntime computes it on x86 with AVX2: each product goes into its sum without being rounded first,
 * here by way of float64, which holds it. (On Arm onnxruntime counts in whole numbers, on older x86 it rounds products: sums that are halfway
 * between two bytes go elsewhere there.)
 */
export function sumOfBytes({ a, b, output }: ByteGrids): SumOfBytes {
  const ratioA = fround(fround(a.scale) / fround(output.scale));
  const ratioB = fround(fround(b.scale) / fround(output.scale));
  const zeros = fround(ratioA * a.zeroPoint + fround(ratioB * b.zeroPoint));
  return { ratioA, ratioB, fixed: fround(output.zeroPoint - zeros) };
}

/** Of two bytes. */
export function fusedSum(a: number, b: number, { ratioA, ratioB, fixed }: SumOfBytes): number {
  return fround(a * ratioA + fround(b * ratioB + fixed));
}

/** Whether some pair of bytes becomes another byte when products are rounded: 1 of 15 grids. */
export function needsFusing(sum: SumOfBytes): boolean {
  for (let a = 0; a < 256; a++) {
    const first = fround(sum.fixed + fround(a * sum.ratioA));
    for (let b = 0; b < 256; b++) {
      const [rounded, fused] = [fround(first + fround(b * sum.ratioB)), fusedSum(a, b, sum)];
      if (rounded !== fused && toByte(rounded) !== toByte(fused)) return true;
    }
  }
  return false;
}

function toByte(steps: number): number {
  return Math.min(255, Math.max(0, roundHalfEven(steps)));
}
