import type { Model } from '../ir/index.ts';
import { defineTransform, LOSSLESS, type Transform } from '../rewrite/index.ts';

/** First version of the format in which an initializer need not be an input. */
const IR_WITH_CONSTANTS = 4;

/**
 * Makes constants of the inputs that have a default: weights, in files of old exporters. Nobody can pass other weights
 * any more, and what depends on them can be folded.
 */
export function freezeDefaults(): Transform {
  return defineTransform({
    name: 'freezeDefaults',
    description: 'inputs with a default → constants',
    tolerance: LOSSLESS,
    apply: (model) => ({ edits: freeze(model) }),
  });
}

function freeze(model: Model): number {
  const { graph } = model;
  const kept = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const edits = graph.inputs.length - kept.length;
  graph.inputs = kept;
  if (edits > 0) model.irVersion = Math.max(model.irVersion, IR_WITH_CONSTANTS);
  return edits;
}
