/** The integers that a quantized number may take, both ends included. */
export interface IntegerGrid {
  readonly low: number;
  readonly high: number;
}

export type WeightBits = 3 | 4 | 7 | 8;

/** Weight grids by bits (docs/architecture.md section 5). Eight bits leave out −128, so that −q is always on the grid. */
export const WEIGHT_GRIDS: Readonly<Record<WeightBits, IntegerGrid>> = {
  3: { low: -4, high: 3 },
  4: { low: -8, high: 7 },
  7: { low: -64, high: 63 },
  8: { low: -127, high: 127 },
};

/**
 * What neighbouring 8-bit weights of one sign may sum to for CPUs that add two products in 16 bits: 255·128 fits an i16, as does
 * 255·−128.
 */
export const LARGEST_PAIR = 128;

/** Adding and taking away 1.5·2^52 leaves no fraction bits: float64 addition itself rounds half to even. */
const NO_FRACTION = 1.5 * 2 ** 52;

/** Nearest integer, halves to even. Exact for |x| < 2^51. */
export function roundHalfEven(x: number): number {
  return x + NO_FRACTION - NO_FRACTION;
}
