/** Probabilities that sum to 1. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(logits);
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = scores.map((x) => Math.exp(x - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((x) => x / sum);
}

/** A probability for each logit by itself. */
export function sigmoid(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits).map((x) => 1 / (1 + Math.exp(-x)));
}
