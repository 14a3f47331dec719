import type { Model, Node } from '../../ir/index.ts';
import { observeValues, type ActivationRunner, type Samples } from '../statistics/calibrate.ts';
import { layerName, planConvNet, type ConvNetPlan } from './conv-net-plan.ts';
import { PatchMoments } from '../statistics/patch-moments.ts';
import { ValueStatistics, type ConvNetStatistics } from '../statistics/value-statistics.ts';

/** Names of the values that `observeConvNet` watches: what a runner has to hand over. */
export function convNetValues(model: Model): readonly string[] {
  return watched(planConvNet(model, () => false));
}

function watched({ values, layers }: ConvNetPlan): readonly string[] {
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
  const plan = planConvNet(model, () => false);
  const create = (value: string): ValueStatistics => new ValueStatistics(patchesOf(value, plan));
  return observeValues(watched(plan), run, samples, create, signal);
}

/** Empty moments for each layer that reads a value. */
function patchesOf(value: string, { layers, index }: ConvNetPlan): Map<string, PatchMoments> {
  const momentsOf = (layer: Node): PatchMoments =>
    new PatchMoments(layer, index.constant(layer.inputs[1] ?? '')?.dims ?? []);
  return new Map(
    [...layers]
      .filter(({ inputs: [x] }) => x === value)
      .map((layer) => [layerName(layer), momentsOf(layer)] as const),
  );
}
