import { CompilerError } from '../../diagnostics/index.ts';
import { float32Tensor, type Tensor } from '../../ir/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { defineTransform, type Transform } from '../../rewrite/index.ts';
import { editLayer } from './edit-layer.ts';
import { linearWeight, type LayerPart } from './encoder-layers.ts';
import { withConstants } from '../take-features.ts';

export interface RefitProjectionOptions {
  /** Counted from 0. */
  readonly layer: number;
  readonly part: LayerPart;
  /** [K,N] and [N]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** Scale and shift [N] of the normalization behind it. Default: its own. */
  readonly norm?: { readonly gamma: Float32Array; readonly beta: Float32Array };
}

/**
 * Gives the projection of a part of an encoder layer another weight, which `pruneEncoder` fits to calibration data.
 * @throws CompilerError `bad-option` for a layer that is not there or a weight of another size; what `encoderLayers` throws.
 */
export function refitProjection({ layer, part, weight, bias, norm }: RefitProjectionOptions): Transform {
  return defineTransform({
    name: 'refitProjection',
    description: 'fit a projection to what the model did before it was pruned',
    tolerance: LOSSY,
    apply: (model) =>
      editLayer({ verb: 'refitProjection', model, layer }, ({ parts }, index) => {
        const { projection, norm: normNode } = parts[part];
        const { dims } = linearWeight(projection, index);
        if (weight.length !== (dims[0] ?? 0) * (dims[1] ?? 0) || bias.length !== dims[1])
          throw new CompilerError(
            'bad-option',
            `refitProjection: layer ${layer} takes a weight of ${dims.join('×')}, got ${weight.length} numbers`,
          );
        const changed = withConstants(projection, index, weight, bias);
        const initializers = new Map<string, Tensor>(changed.initializers);
        const normInputs = [...normNode.inputs];
        for (const [slot, values] of [norm?.gamma, norm?.beta].entries()) {
          if (values === undefined) continue;
          normInputs[slot + 2] = index.freshName(`${normInputs[slot + 2]}_pruned`);
          initializers.set(normInputs[slot + 2]!, float32Tensor([values.length], values));
        }
        return {
          reason: `layer ${layer}: ${part} refitted`,
          remove: [projection, normNode],
          add: [changed.node, { ...normNode, inputs: normInputs }],
          initializers,
        };
      }),
  });
}
