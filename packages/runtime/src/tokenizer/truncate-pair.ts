/**
 * How many tokens of two texts to keep so that they are at most `limit` together: the longer one is cut first, and
 * when both are longer than half they share. The rule of Hugging Face tokenizers' `LongestFirst`
 * (tokenizers/src/utils/truncation.rs).
 */
export function truncatePair(first: number, second: number, limit: number): [first: number, second: number] {
  if (first + second <= limit) return [first, second];
  const shorter = Math.min(first, second);
  // An odd token goes to the longer text, to the second one when they are equally long.
  let low = shorter;
  let high = Math.max(shorter, limit - shorter);
  if (low + high > limit) {
    low = Math.floor(limit / 2);
    high = low + (limit % 2);
  }
  return first > second ? [high, low] : [low, high];
}
