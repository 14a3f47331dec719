import { defineTransform, type Edit, type GraphView, type Transform } from '../../rewrite/index.ts';
import { LOSSY } from '../../quantize/index.ts';
import { checkKept } from '../check-kept.ts';
import { editLayer } from './edit-layer.ts';
import { linearWeight, type EncoderLayer } from './encoder-layers.ts';
import { takeInputs, takeOutputs } from '../take-features.ts';

export interface PruneHeadsOptions {
  /** Counted from 0. */
  readonly layer: number;
  /** Heads that stay, ascending. */
  readonly keep: readonly number[];
}

/**
 * Removes attention heads of one layer: their columns of q, k and v, their rows of the projection. `pruneEncoder` finds which ones.
 * @throws CompilerError `bad-option` for a layer or heads that are not there; what `encoderLayers` throws.
 */
export function pruneHeads({ layer, keep }: PruneHeadsOptions): Transform {
  return defineTransform({
    name: 'pruneHeads',
    description: 'remove attention heads',
    tolerance: LOSSY,
    apply: (model) =>
      editLayer({ verb: 'pruneHeads', model, layer }, (found, index) => keepHeads(found, keep, index)),
  });
}

function keepHeads(layer: EncoderLayer, keep: readonly number[], index: GraphView): Edit | undefined {
  const { heads, attention, headCount, parts } = layer;
  checkKept('pruneHeads', 'heads', keep, headCount);
  if (keep.length === headCount) return undefined;
  const depth = (node = heads[0]!): number => (linearWeight(node, index).dims[1] ?? 0) / headCount;
  const changed = [
    ...heads.map((node) => takeOutputs(node, featuresOf(keep, depth(node)), index)),
    takeInputs(parts.attention.projection, featuresOf(keep, depth(heads[2])), index),
  ];
  const attributes = new Map(attention.attributes).set('num_heads', {
    kind: 'int',
    value: BigInt(keep.length),
  });
  return {
    reason: `${keep.length} of ${headCount} heads`,
    remove: [...heads, attention, parts.attention.projection],
    add: [...changed.map(({ node }) => node), { ...attention, attributes }],
    initializers: new Map(changed.flatMap(({ initializers }) => initializers)),
  };
}

/** Features of whole heads, `depth` each. */
export function featuresOf(heads: readonly number[], depth: number): number[] {
  return heads.flatMap((head) => Array.from({ length: depth }, (_, at) => head * depth + at));
}
