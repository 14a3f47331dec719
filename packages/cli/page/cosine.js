/**
 * Cosine of the angle between two vectors of one length; 0 when either is zero.
 * @param {ArrayLike<number>} a @param {ArrayLike<number>} b
 */
export function cosine(a, b) {
  const product = dot(a, b);
  return product === 0 ? 0 : product / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
