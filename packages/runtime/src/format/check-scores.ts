import { at, int, oneOf, optional, type Field } from './check.ts';

const MAX_OFFSET = 1000;

/** Checks how classifiers' outputs become scores of the labels. */
export function checkScores(root: Field): void {
  optional(at(root, 'scores'), (field) => oneOf(field, ['logits', 'probabilities']));
  optional(at(root, 'labelOffset'), (field) => int(field, 0, MAX_OFFSET));
}
