import { defineTransform, type Transform } from '../../rewrite/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { checkKept } from '../check-kept.ts';
import { editLayer } from './edit-layer.ts';
import { takeInputs, takeOutputs } from '../take-features.ts';

export interface PruneNeuronsOptions {
  /** Counted from 0. */
  readonly layer: number;
  /** Neurons that stay, ascending. */
  readonly keep: readonly number[];
}

/**
 * Removes neurons between the two feed-forward layers of one encoder layer. `pruneEncoder` finds which ones.
 * @throws CompilerError `bad-option` for a layer or neurons that are not there; what `encoderLayers` throws.
 */
export function pruneNeurons({ layer, keep }: PruneNeuronsOptions): Transform {
  return defineTransform({
    name: 'pruneNeurons',
    description: 'remove feed-forward neurons',
    tolerance: LOSSY,
    apply: (model) =>
      editLayer({ verb: 'pruneNeurons', model, layer }, ({ widen, neuronCount, parts }, index) => {
        checkKept('pruneNeurons', 'neurons', keep, neuronCount);
        if (keep.length === neuronCount) return undefined;
        const { projection } = parts.feedForward;
        const changed = [takeOutputs(widen, keep, index), takeInputs(projection, keep, index)];
        return {
          reason: `${keep.length} of ${neuronCount} neurons`,
          remove: [widen, projection],
          add: changed.map(({ node }) => node),
          initializers: new Map(changed.flatMap(({ initializers }) => initializers)),
        };
      }),
  });
}
