import { TAKEN, takenBy, taskNamed, type Taken } from './task-names.ts';
import { UsageError } from './usage-error.ts';

/** What a command was given to run a package on, and how it is given there. */
export type GivenInputs = Readonly<
  Record<Taken, { readonly value: string | undefined; readonly option: string }>
>;

/** What packages take, in messages. */
const PLURALS: Readonly<Record<Taken, string>> = { text: 'texts', image: 'images', audio: 'sounds' };

/**
 * What a package for the task takes, and its value if one was given. Packages for tasks that are not known here take texts.
 * @throws UsageError naming the option of an input that does not fit the task
 */
export function givenInput(
  task: string,
  given: GivenInputs,
): { readonly taken: Taken; readonly value: string | undefined } {
  const taken = takenBy(taskNamed(task) ?? 'text-classification');
  const other = TAKEN.find((what) => what !== taken && given[what].value !== undefined);
  if (other !== undefined)
    throw new UsageError(
      `${given[other].option} does not fit: packages for ${task} take ${PLURALS[taken]}.`,
      `Give ${given[taken].option}.`,
    );
  return { taken, value: given[taken].value };
}
