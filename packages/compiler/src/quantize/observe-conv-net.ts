import type { Model } from '../ir/index.ts';
import { observeValues, type ActivationRunner, type Samples } from './calibrate.ts';
import { planConvNet } from './conv-net-plan.ts';
import { ValueStatistics, type ConvNetStatistics } from './value-statistics.ts';

/** Names of the values that `observeConvNet` watches: what a runner has to hand over. */
export function convNetValues(model: Model): readonly string[] {
  const { values, layers } = planConvNet(model, () => false);
  return [...new Set([...values, ...[...layers].flatMap(({ outputs }) => outputs)])];
}

/**
 * Runs the samples through a compact graph (after `separateActivations`) once. Memory does not grow with their number.
 * @throws CompilerError as `observeActivations`.
 */
export function observeConvNet(
  model: Model,
  run: ActivationRunner,
  samples: Samples,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ConvNetStatistics> {
  return observeValues(convNetValues(model), run, samples, () => new ValueStatistics(), signal);
}
