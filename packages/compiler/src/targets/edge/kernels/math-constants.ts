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
