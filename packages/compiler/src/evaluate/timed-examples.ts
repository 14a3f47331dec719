import type { GoldExample } from './dataset.ts';
import type { RunnerInput } from './runner.ts';

/** So many that the slowest twentieth, which p95 rests on, is ten of them. */
export const TIMED_EXAMPLES = 200;

/**
 * Positions of the examples that are timed, ascending: all, or `TIMED_EXAMPLES` of them spread evenly over the lengths of
 * the texts, the shortest and the longest among them. Times follow lengths, so these have the percentiles of all. Images and
 * sounds all become one size: theirs are spread evenly over the examples.
 */
export function timedExamples(examples: readonly GoldExample[]): readonly number[] {
  const byLength = examples
    .map((example, position) => ({ position, length: lengthOf(example) }))
    .sort((a, b) => a.length - b.length);
  const count = Math.min(TIMED_EXAMPLES, examples.length);
  const step = (examples.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => byLength[Math.round(i * step)]?.position ?? 0).sort(
    (a, b) => a - b,
  );
}

function lengthOf(input: RunnerInput): number {
  return 'file' in input ? 0 : input.text.length + (input.textPair?.length ?? 0);
}
