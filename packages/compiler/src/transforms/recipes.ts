import type { Transform } from '../rewrite/index.ts';
import { eliminateCommonSubexpressions } from './eliminate-common-subexpressions.ts';
import { fixBatch } from './fix-batch.ts';
import { fixDims } from './fix-dims.ts';
import { flattenLinears } from './flatten-linears.ts';
import { foldConstants } from './fold-constants.ts';
import { freezeDefaults } from './freeze-defaults.ts';
import { freezeInputs } from './freeze-inputs.ts';
import { fuseActivations } from './fuse-activations.ts';
import { fuseAddLayerNorm } from './fuse-add-layer-norm.ts';
import { fuseAttention } from './fuse-attention.ts';
import { fuseChannelsLast } from './fuse-channels-last.ts';
import { fuseConv } from './fuse-conv.ts';
import { fuseEmbedLayerNorm } from './fuse-embed-layer-norm.ts';
import { fuseGelu } from './fuse-gelu.ts';
import { fuseLayerNorm } from './fuse-layer-norm.ts';
import { fuseLinear } from './fuse-linear.ts';
import { fuseLstmCell } from './fuse-lstm-cell.ts';
import { fusePad } from './fuse-pad.ts';
import { inlineConditions } from './inline-conditions.ts';
import { inlineFunctions } from './inline-functions.ts';
import { mergeInitializers } from './merge-initializers.ts';
import { narrowSequence } from './narrow-sequence.ts';
import { raiseOpset } from './raise-opset.ts';
import { removeDeadCode } from './remove-dead-code.ts';
import { removeIdentity } from './remove-identity.ts';
import { resolveAutoPad } from './resolve-auto-pad.ts';
import { simplifyArithmetic } from './simplify-arithmetic.ts';
import { simplifyHeads } from './simplify-heads.ts';
import { simplifyPooling } from './simplify-pooling.ts';
import { simplifyShapes } from './simplify-shapes.ts';
import { splitBatchNormalization } from './split-batch-normalization.ts';
import { splitConvTranspose } from './split-conv-transpose.ts';
import { splitEinsum } from './split-einsum.ts';
import { splitInstanceNormalization } from './split-instance-normalization.ts';
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

export interface CompactConvNetOptions {
  /** Extents of symbolic dimensions, `{ height: 320, width: 320 }`. Open batches become 1 in any case. Default: none. */
  readonly dims?: Readonly<Record<string, number>>;
}

/** One graph without functions, with settled extents, in one spelling: what every recipe for networks begins with. */
export function settleGraph({ dims = {} }: CompactConvNetOptions = {}): Transform[] {
  return [
    inlineFunctions(),
    ...(Object.keys(dims).length > 0 ? [fixDims(dims)] : []),
    fixBatch(),
    freezeDefaults(),
    // Before everything that reads attributes.
    raiseOpset(),
  ];
}

/**
 * Convolutional networks (classifiers, detectors, keyword spotters), from any exporter, to the compact float graph of
 * docs/architecture.md, section 4.
 */
export function compactConvNet(options: CompactConvNetOptions = {}): Transform[] {
  return [
    ...settleGraph(options),
    // Shapes before conditions, which depend on them in exports with traced checks.
    foldConstants(),
    simplifyShapes(),
    inlineConditions(),
    removeIdentity(),
    // What a taken branch computes from constants.
    foldConstants(),
    simplifyShapes(),
    ...compactLayers(),
    flattenLinears(),
    mergeInitializers(),
  ];
}

/** What the layers of a network are made of once its shapes and conditions are known. */
function compactLayers(): Transform[] {
  return [
    splitEinsum(),
    // Its constants in the order that the product wants.
    foldConstants(),
    resolveAutoPad(),
    splitBatchNormalization(),
    splitInstanceNormalization(),
    // Before simplifyArithmetic, which writes its powers otherwise.
    fuseLayerNorm(),
    fuseGelu(),
    // Floors that make a Relu are fuseActivations' to see, the others' become Clip.
    fuseActivations(),
    simplifyArithmetic(),
    splitConvTranspose(),
    fuseConv(),
    // After fuseConv: a MaxPool must see that its input went through a Relu.
    fusePad(),
    fuseChannelsLast(),
    simplifyPooling(),
    simplifyHeads(),
    fuseLinear(),
    fuseLstmCell(),
    fuseAddLayerNorm(),
    removeIdentity(),
    eliminateCommonSubexpressions(),
    mergeInitializers(),
    removeDeadCode(),
  ];
}

export interface CompactRecurrentNetOptions extends CompactConvNetOptions {
  /** Values of inputs that are settings, `{ sr: 16000 }`. Default: none. */
  readonly settings?: Readonly<Record<string, number>>;
}

/** How deep PyTorch's scripted modules were seen to nest conditions on shapes. */
const NESTED_CONDITIONS = 4;

/**
 * Networks with a memory that run a chunk at a time (voice activity, denoising), from any exporter, to a compact float graph: the
 * operators of `compactConvNet` and ai.onnx LSTM, the state as ordinary inputs and outputs.
 */
export function compactRecurrentNet({
  dims = {},
  settings = {},
}: CompactRecurrentNetOptions = {}): Transform[] {
  return [
    inlineFunctions(),
    ...(Object.keys(settings).length > 0 ? [freezeInputs(settings)] : []),
    ...(Object.keys(dims).length > 0 ? [fixDims(dims)] : []),
    fixBatch(),
    freezeDefaults(),
    raiseOpset(),
    // A condition inside a branch is known once the branch has been taken.
    ...Array.from({ length: NESTED_CONDITIONS }, () => [
      foldConstants(),
      simplifyShapes(),
      inlineConditions(),
      removeIdentity(),
    ]).flat(),
    ...compactLayers(),
  ];
}
