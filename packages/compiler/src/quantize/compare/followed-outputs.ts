import type { Model } from '../../ir/index.ts';
import { inferTypes } from '../../ops/index.ts';

export interface FollowedOutputs {
  /** What a quantized candidate is judged by: outputs, and what places are found in. */
  readonly ends: ReadonlySet<string>;
  /** Places that the model finds (ArgMax, NonMaxSuppression) and what is made of them: a little noise changes which they are. */
  readonly places: ReadonlySet<string>;
}

/** Outputs of a float model that noise can be measured on. */
export function followedOutputs(float: Model): FollowedOutputs {
  const { graph } = float;
  const { types } = inferTypes(float);
  const [ends, places] = [new Set<string>(), new Set<string>()];
  for (const { inputs, outputs } of graph.nodes) {
    const found = outputs.filter((name) => (types.get(name)?.dtype ?? 'float32') !== 'float32');
    const isMadeOfPlaces = inputs.some((name) => places.has(name));
    for (const name of isMadeOfPlaces ? outputs : found) places.add(name);
    if (found.length === 0 && !isMadeOfPlaces) continue;
    for (const name of inputs)
      if (name !== '' && !graph.initializers.has(name) && !places.has(name)) ends.add(name);
  }
  for (const { name } of graph.outputs) if (!places.has(name)) ends.add(name);
  return { ends, places };
}
