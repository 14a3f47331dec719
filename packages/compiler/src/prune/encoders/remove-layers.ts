import { CompilerError } from '../../diagnostics/index.ts';
import type { Model } from '../../ir/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { defineTransform, GraphIndex, type Transform } from '../../rewrite/index.ts';
import { encoderLayers } from './encoder-layers.ts';

export interface RemoveLayersOptions {
  /** Counted from 0 in the model as it is; not all of them. */
  readonly layers: readonly number[];
}

/**
 * Removes whole encoder layers: what read a layer's output reads its input. `chooseLayers` finds which ones.
 * @throws CompilerError `bad-option` for layers that are not there or all of them; what `encoderLayers` throws.
 */
export function removeLayers({ layers }: RemoveLayersOptions): Transform {
  return defineTransform({
    name: 'removeLayers',
    description: 'remove whole encoder layers',
    tolerance: LOSSY,
    apply: (model) => ({ edits: remove(model, new Set(layers)) }),
  });
}

function remove(model: Model, removed: ReadonlySet<number>): number {
  const index = new GraphIndex(model.graph);
  const found = encoderLayers(model, index);
  const missing = [...removed].find((layer) => found[layer] === undefined);
  if (missing !== undefined)
    throw new CompilerError(
      'bad-option',
      `removeLayers: there is no layer ${missing}; the model has ${found.length}`,
      {
        hint: 'layers count from 0',
      },
    );
  if (removed.size === found.length)
    throw new CompilerError('bad-option', `removeLayers: one of the ${found.length} layers has to stay`);
  // From the last on: an edit changes the nodes behind a layer, never those before it.
  for (const layer of [...removed].toSorted((a, b) => b - a)) {
    const { parts, input, output } = found[layer]!;
    index.apply({
      reason: `layer ${layer} removed`,
      remove: [parts.feedForward.norm],
      replace: new Map([[output, input]]),
    });
  }
  index.commit();
  return removed.size;
}
