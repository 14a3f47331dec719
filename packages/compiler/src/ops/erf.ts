// The error function in double precision after W. J. Cody, "Rational Chebyshev approximations for the error
// function", Mathematics of Computation 23 (1969), 631-637, with the coefficients of his routine CALERF
// (netlib, specfun/erf). Its relative error is below 1e-15.

const A = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315];
const B = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const C = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
];
const D = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
const P = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
];
const Q = [
  2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];
const INVERSE_SQRT_PI = 0.5641895835477563;

/** The error function, 2/√π ∫₀ˣ exp(−t²) dt. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size <= 0.46875) return x * ratio(size * size, A, B);
  const complement = size <= 4 ? middle(size) : tail(size);
  return x < 0 ? complement - 1 : 1 - complement;
}

/** The first coefficient sits last in Cody's numerators: it is the factor of the highest power. */
function ratio(square: number, numerator: readonly number[], denominator: readonly number[]): number {
  const last = denominator.length - 1;
  let up = (numerator[last + 1] as number) * square;
  let down = square;
  for (let i = 0; i < last; i++) {
    up = (up + (numerator[i] as number)) * square;
    down = (down + (denominator[i] as number)) * square;
  }
  return (up + (numerator[last] as number)) / (down + (denominator[last] as number));
}

function middle(size: number): number {
  return expMinusSquare(size) * ratio(size, C, D);
}

function tail(size: number): number {
  if (size >= 6) return 0; // 1 - erf(6) is below half a unit in the last place of 1
  const inverse = 1 / (size * size);
  return (expMinusSquare(size) * (INVERSE_SQRT_PI - inverse * ratio(inverse, P, Q))) / size;
}

/** exp(−x²) with the square split, so that its rounding error does not reach the exponent. */
function expMinusSquare(x: number): number {
  const head = Math.trunc(x * 16) / 16;
  const rest = (x - head) * (x + head);
  return Math.exp(-head * head) * Math.exp(-rest);
}
