/**
 * Inverse of a symmetric positive definite matrix [n,n] by Cholesky's decomposition A = L·Lᵀ, A⁻¹ = L⁻ᵀ·L⁻¹ (Golub & Van Loan,
 * "Matrix Computations", sections 4.2 and 3.1). Only the lower triangle is read.
 * @throws RangeError where the matrix is not positive definite
 */
export function invertPositive(matrix: Float64Array, n: number): Float64Array {
  return gramOfRows(invertLower(cholesky(matrix, n), n), n);
}

/** L, lower triangular, with L·Lᵀ = matrix. */
function cholesky(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let rest = matrix[row + j]!;
      for (let k = 0; k < j; k++) rest -= lower[row + k]! * lower[other + k]!;
      if (i !== j) lower[row + j] = rest / lower[other + j]!;
      else if (rest > 0) lower[row + j] = Math.sqrt(rest);
      else throw new RangeError(`invertPositive: row ${i} of ${n} depends on those before it`);
    }
  }
  return lower;
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

/** Mᵀ·M of a lower triangular M; both triangles are filled. */
function gramOfRows(lower: Float64Array, n: number): Float64Array {
  const gram = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) {
      const factor = lower[k * n + i]!;
      for (let j = 0; j <= i; j++) gram[i * n + j]! += factor * lower[k * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) gram[j * n + i] = gram[i * n + j]!;
  return gram;
}
