/**
 * Turns a symmetric positive definite matrix [n,n] into its inverse by Cholesky's decomposition A = L·Lᵀ, A⁻¹ = L⁻ᵀ·L⁻¹ (Golub & Van
 * Loan, "Matrix Computations", sections 4.2 and 3.1). Only the lower triangle is read; both are written.
 * @throws RangeError where the matrix is not positive definite
 */
export function invertPositive(matrix: Float64Array, n: number): void {
  decompose(matrix, n);
  multiplyTransposed(invertLower(matrix, n), n, matrix);
}

/** The lower triangle becomes L. */
function decompose(lower: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let rest = lower[row + j]!;
      for (let k = 0; k < j; k++) rest -= lower[row + k]! * lower[other + k]!;
      if (i !== j) lower[row + j] = rest / lower[other + j]!;
      else if (rest > 0) lower[row + j] = Math.sqrt(rest);
      else throw new RangeError(`invertPositive: row ${i} of ${n} depends on those before it`);
    }
  }
}

/** L⁻¹, row by row: row i is (eᵢ − Σ L[i,k]·row k) / L[i,i]. */
function invertLower(lower: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let k = 0; k < i; k++) {
      const factor = lower[row + k]!;
      for (let j = 0; j <= k; j++) inverse[row + j]! -= factor * inverse[k * n + j]!;
    }
    const diagonal = lower[row + i]!;
    for (let j = 0; j < i; j++) inverse[row + j]! /= diagonal;
    inverse[row + i] = 1 / diagonal;
  }
  return inverse;
}

/** Mᵀ·M of a lower triangular M. */
function multiplyTransposed(lower: Float64Array, n: number, product: Float64Array): void {
  product.fill(0);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) {
      const factor = lower[k * n + i]!;
      for (let j = 0; j <= i; j++) product[i * n + j]! += factor * lower[k * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) product[j * n + i] = product[i * n + j]!;
}
