import type { Transform } from '../rewrite/index.ts';
import { eliminateCommonSubexpressions } from './eliminate-common-subexpressions.ts';
import { foldConstants } from './fold-constants.ts';
import { fuseAddLayerNorm } from './fuse-add-layer-norm.ts';
import { fuseAttention } from './fuse-attention.ts';
import { fuseEmbedLayerNorm } from './fuse-embed-layer-norm.ts';
import { fuseGelu } from './fuse-gelu.ts';
import { fuseLayerNorm } from './fuse-layer-norm.ts';
import { fuseLinear } from './fuse-linear.ts';
import { inlineFunctions } from './inline-functions.ts';
import { mergeInitializers } from './merge-initializers.ts';
import { narrowSequence } from './narrow-sequence.ts';
import { removeDeadCode } from './remove-dead-code.ts';
import { removeIdentity } from './remove-identity.ts';
import { simplifyShapes } from './simplify-shapes.ts';
import { unifyInputDims } from './unify-input-dims.ts';

/** Encoder transformers (BERT family), from any exporter, to the compact graph of docs/architecture.md, section 4. */
export function compactEncoder(): Transform[] {
  return [
    inlineFunctions(),
    // What a mask drops can only be told where it is known to be as long as the sentence.
    unifyInputDims(),
    foldConstants(),
    removeIdentity(),
    fuseLayerNorm(),
    // Before fuseLinear, which takes the Gelu as its activation.
    fuseGelu(),
    // Before fuseAttention, which looks through bias additions but stops at a Linear.
    fuseLinear(),
    fuseAttention(),
    // Before fuseAddLayerNorm: a sum of embeddings under a LayerNorm is not a residual.
    fuseEmbedLayerNorm(),
    fuseAddLayerNorm(),
    // What is left by now are heads and poolings; before the fusions this would only be work for nothing.
    simplifyShapes(),
    eliminateCommonSubexpressions(),
    mergeInitializers(),
    removeDeadCode(),
  ];
}

/** `compactEncoder` and what only pays where whole sentences are run at once: our engine computes no row that nobody reads. */
export function edgeEncoder(): Transform[] {
  return [...compactEncoder(), narrowSequence()];
}
