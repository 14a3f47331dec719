import { sumOuterProducts } from '../statistics/outer-products.ts';
import type { SecondMoments } from '../statistics/second-moments.ts';

/** U of M = Uᵀ·D·U, upper triangular with ones on its diagonal; D is diagonal. */
export interface UnitFactor {
  readonly width: number;
  /** U, row-major; what lies below the diagonal is not used. */
  readonly unit: Float32Array;
}

/** Share of the mean of the diagonal that is added to it, as GPTQ's authors do: for features that never vary or hang on others. */
export const DAMPING = 0.01;

/** Rows that are eliminated before the rest of the matrix is brought up to date. */
const PANEL_ROWS = 64;

/**
 * The square-root-free Cholesky factor of a damped symmetric matrix, [width, width] row-major, of which only the upper triangle is read
 * (Golub & Van Loan, "Matrix Computations", sections 4.1.2 and 4.2.9: by blocks). Overwrites it. What blocks take from each other is summed in
 * float32, which damped moments bear; the normal equations of pruning do not, and have `invertPositive`.
 */
export function unitFactor(matrix: Float64Array, width: number, damping: number = DAMPING): UnitFactor {
  damp(matrix, width, damping);
  const pivots = new Float64Array(width);
  for (let start = 0; start < width; start += PANEL_ROWS) {
    const end = Math.min(width, start + PANEL_ROWS);
    for (let k = start; k < end; k++) {
      const top = k * width;
      const pivot = (pivots[k] = matrix[top + k]!);
      for (let i = k + 1; i < end; i++) {
        const factor = matrix[top + i]! / pivot;
        for (let j = i; j < width; j++) matrix[i * width + j]! -= factor * matrix[top + j]!;
      }
    }
    if (end < width) eliminate(matrix, width, start, end, pivots);
  }
  const unit = new Float32Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = i; j < width; j++) unit[i * width + j] = matrix[i * width + j]! / pivots[i]!;
  return { width, unit };
}

function damp(matrix: Float64Array, width: number, damping: number): void {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += matrix[i * width + i]!;
  const added = trace === 0 ? 1 : (damping * trace) / width;
  for (let i = 0; i < width; i++) matrix[i * width + i]! += added;
}

/** Takes what the panel's rows explain, Σ x·xᵀ/pivot over them, from the rows behind it. */
function eliminate(
  matrix: Float64Array,
  width: number,
  start: number,
  end: number,
  pivots: Float64Array,
): void {
  const rest = width - end;
  const rows = new Float32Array((end - start) * rest);
  for (let k = start; k < end; k++) {
    const inverse = 1 / Math.sqrt(pivots[k]!);
    for (let j = 0; j < rest; j++) rows[(k - start) * rest + j] = matrix[k * width + end + j]! * inverse;
  }
  const { data, stride } = sumOuterProducts(rows, rest);
  for (let i = 0; i < rest; i++)
    for (let j = i; j < rest; j++) matrix[(end + i) * width + end + j]! -= data[i * stride + j]!;
}

/** The factor of a layer's second moments. */
export function factorOf(moments: SecondMoments): UnitFactor {
  return unitFactor(moments.matrix(), moments.width);
}

/** The damped second moments that `factorOf` factors, whole: [width, width] row-major. */
export function dampedMoments(moments: SecondMoments): Float32Array {
  const { width } = moments;
  const matrix = moments.matrix();
  damp(matrix, width, DAMPING);
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) matrix[i * width + j] = matrix[j * width + i]!;
  return Float32Array.from(matrix);
}

/** What is made of moments, kept until that of others is asked for: layers with one input follow each other. */
export function keepLast<T>(make: (moments: SecondMoments) => T): (moments: SecondMoments) => T {
  let last: { readonly moments: SecondMoments; readonly made: T } | undefined;
  return (moments) => {
    if (last?.moments !== moments) last = { moments, made: make(moments) };
    return last.made;
  };
}
