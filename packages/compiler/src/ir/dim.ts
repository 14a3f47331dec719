/**
 * One dimension: a number, a symbolic expression, or null when nothing is known.
 * Expressions are polynomials with integer coefficients in canonical text (`seq`, `2*seq`, `batch*seq+1`);
 * build them with `addDims`, `mulDims`, … so that equal dimensions are equal strings.
 */
export type Dim = number | string | null;

export type Shape = readonly Dim[];
