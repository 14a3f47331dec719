import type { Model } from '@edgewise/compiler';

/** Name of the input that the caller of a model with one input gives. */
export function inputName({ graph }: Model): string {
  return graph.inputs.find(({ name }) => !graph.initializers.has(name))?.name ?? '';
}
