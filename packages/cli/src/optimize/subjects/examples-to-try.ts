import type { TextExample } from '../../examples/read-text-examples.ts';

/** Sentences that the page offers; short ones fit on a phone. */
const EXAMPLES_SHOWN = 4;
const EXAMPLE_LENGTH = 44;

/** A few short sentences from the data for the page of a classifier, as different in their labels as they come. */
export function examplesToTry(examples: readonly TextExample[]): readonly string[] {
  const short = examples.filter(
    ({ text, textPair }) => text.length <= EXAMPLE_LENGTH && textPair === undefined,
  );
  const answers = [...new Set(short.map(({ gold }) => String(gold)))];
  const groups = answers.map((answer) => short.filter(({ gold }) => String(gold) === answer));
  return Array.from({ length: EXAMPLES_SHOWN }, (_, round) => groups.flatMap((group) => group[round] ?? []))
    .flat()
    .slice(0, EXAMPLES_SHOWN)
    .map(({ text }) => text);
}
