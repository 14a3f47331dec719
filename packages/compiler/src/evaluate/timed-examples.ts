import type { GoldExample } from './dataset.ts';

/** So many that the slowest twentieth, which p95 rests on, is ten of them. */
export const TIMED_EXAMPLES = 200;

/**
 * Positions of the examples that are timed, ascending: all, or `TIMED_EXAMPLES` of them spread evenly over the lengths of
 * the texts, the shortest and the longest among them. Times follow lengths, so these have the percentiles of all.
 */
export function timedExamples(examples: readonly GoldExample[]): readonly number[] {
  const byLength = examples
    .map(({ text, textPair = '' }, position) => ({ position, length: text.length + textPair.length }))
    .sort((a, b) => a.length - b.length);
  const count = Math.min(TIMED_EXAMPLES, examples.length);
  const step = (examples.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => byLength[Math.round(i * step)]?.position ?? 0).sort(
    (a, b) => a - b,
  );
}
