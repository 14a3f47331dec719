// Shared by the vector code and the plain reference: both must use the same numbers.

export const LOG2_E: number = Math.LOG2E;

/**
 * 1.5·2^23: a float of magnitude below 2^22 added to it is rounded to an integer, half to even, and that integer
 * plus ROUND_TO_INTEGER_BITS is the sum's bit pattern.
 */
export const ROUND_TO_INTEGER = 12582912;
export const ROUND_TO_INTEGER_BITS = 0x4b400000;

/**
 * 2^x on [-0.5, 0.5], relative error 9.2e-8 before rounding. Least-maximum fit by iteratively reweighted least
 * squares in double precision with the constant term fixed at 1, so that 2^0 is exact.
 */
export const EXP2_COEFFICIENTS: readonly number[] = [
  1, 0.6931469776002875, 0.24022242083854584, 0.05550733742003633, 0.009671512709485134,
  0.0013264727532697424,
];

/**
 * erf(z) ≈ z·P(z²)/Q(z²) for |z| ≤ ERF_LIMIT, constant beyond: absolute error 2.6e-7 before rounding. Least-maximum
 * rational fit (numerator degree 5, denominator degree 4 in z²) on [-3.8, 3.8] by the same method. The limit is a
 * float at which the rounded quotient is exactly 1, so that GELU is exactly 0 far below and x far above zero.
 */
export const ERF_LIMIT = 3.749391555786133;
export const ERF_NUMERATOR: readonly number[] = [
  1.1283769715933896, 0.3938493211301134, 0.07611829334636368, 0.011572578192868754, 0.00029770620369974285,
  -0.0000017076133499697191,
];
export const ERF_DENOMINATOR: readonly number[] = [
  1, 0.682347120880966, 0.19500458963105613, 0.03066821128237014, 0.002757209573199814,
];

/** What a masked key's score becomes, and the floor of a row's maximum: their difference is -∞ enough for exp2. */
export const MASKED_SCORE = -1e30;
export const LOWEST_MAXIMUM = -1e20;

/**
 * ln(1 + f) ≈ f − f²/2 + f³·P(f) on [√½ − 1, √2 − 1], coefficients of P from the constant term on: Cephes' logf (Moshier 1992).
 * ln 2 is split so that products of the upper part with exponents are exact.
 */
export const LOG_COEFFICIENTS: readonly number[] = [
  3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
  1.167699874e-1, -1.151461031e-1, 7.0376836292e-2,
];
export const LN2_UPPER = 0.693359375;
export const LN2_LOWER = -2.1219444e-4;
/** Bits of √½, where the mantissa begins. */
export const SQRT_HALF_BITS = 0x3f3504f3;
export const SMALLEST_NORMAL: number = 2 ** -126;

/**
 * (sin a − a)/a³ on |a| ≤ π/2 as a polynomial in a²: error of the sine 4.7e-9 before rounding, a least-maximum fit by the
 * same method. π in three parts, the first with 8 bits and the second with 12.
 */
export const SIN_COEFFICIENTS: readonly number[] = [
  -0.16666657096556434, 0.008333017292610606, -0.00019806615266003197, 0.0000026000548927252764,
];
export const PI_PARTS: readonly number[] = [3.140625, 0.0009675025939941406, 1.5099580252808664e-7];
