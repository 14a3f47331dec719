import type { Prunable } from '../../command/prunable-names.ts';
import { UsageError } from '../../command/usage-error.ts';
import type { OptimizeOptions } from '../../commands/optimize.ts';

/** A kind of model, and what can be taken out of it. */
export interface PrunableKind<Part extends Prunable> {
  /** In messages: `encoders of text`. */
  readonly models: string;
  readonly parts: readonly Part[];
}

/**
 * What `--prune` asks for of a model of this kind.
 * @throws UsageError for parts that such models do not have, and without `--calibration` or `--max-drop`
 */
export function prunableParts<Part extends Prunable>(
  { task, prune, calibration, maxDrop }: OptimizeOptions,
  { models, parts }: PrunableKind<Part>,
): readonly Part[] {
  if (prune === undefined) return [];
  const fits = (part: Prunable): part is Part => parts.some((each) => each === part);
  const other = prune.find((part) => !fits(part));
  if (other !== undefined)
    throw new UsageError(
      `--prune ${other} does not fit ${task}.`,
      parts.length > 0
        ? `What can go of ${models}: ${parts.join(', ')}.`
        : `Nothing can be taken out of ${models}.`,
    );
  if (calibration === undefined)
    throw new UsageError(
      '--prune needs --calibration.',
      'What is taken out is found on unlabelled examples, and what is left is fitted to them.',
    );
  if (maxDrop === undefined)
    throw new UsageError(
      '--prune needs --max-drop.',
      'A model without some of its parts is smaller and worse: say how much quality may go, 0.5% say.',
    );
  return prune.filter(fits);
}
