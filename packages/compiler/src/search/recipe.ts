import type { EncoderShares } from '../prune/index.ts';
import type { ActivationRange } from '../quantize/index.ts';

/** A step that looks at the model or at data while it works: no transform made beforehand, so whoever runs the recipe does it first. */
export type PruneStep =
  | { readonly name: 'prune-vocabulary'; readonly options: { readonly coverage: number } }
  | { readonly name: 'prune-encoder'; readonly options: EncoderShares }
  | { readonly name: 'prune-channels'; readonly options: { readonly macs: number } };

/** One step of a recipe: a transform by its kebab-case name, with options. Plain data, so that it can be hashed and reported. */
export type RecipeStep =
  | PruneStep
  | { readonly name: 'edge-encoder' }
  | {
      readonly name: 'quantize-linears';
      readonly options: { readonly weightBits: 7 | 8; readonly activations: Activations };
    }
  | {
      readonly name: 'quantize-weights-int4';
      readonly options: {
        readonly weightBits: 3 | 4;
        readonly computeBits: 7 | 8;
        readonly activations: Activations;
      } & Except;
    }
  | { readonly name: 'quantize-embeddings'; readonly options: { readonly bits: 4 | 8 } & Except }
  | { readonly name: 'conv-net' }
  | { readonly name: 'quantized-net' }
  | { readonly name: 'recurrent-net' }
  | { readonly name: 'quantize-lstms'; readonly options: { readonly weightBits: 7 | 8 } }
  | {
      readonly name: 'quantize-conv-net';
      readonly options: {
        readonly weightBits: 7 | 8;
        readonly activationRange: ActivationRange;
        /** Names of layers that have 8 bits where the others have 7. */
        readonly eightBits?: readonly string[];
      } & Except;
    };

/** Names of layers that a step leaves as they are. A type, no interface: recipes are JSON. */
type Except = { readonly except?: readonly string[] };

/** How activations are quantized: per row at run time, or from calibrated ranges. */
export type Activations = 'dynamic' | 'static';

/** A named way to make a candidate from the model. No steps: the model as it came. */
export interface Recipe {
  readonly name: string;
  readonly steps: readonly RecipeStep[];
}

/** Candidate 0 of every search. */
export const ORIGINAL: Recipe = { name: 'original', steps: [] };

export interface ListRecipesOptions {
  /** Whether there are examples to calibrate static quantization with. */
  readonly calibrated: boolean;
}

/**
 * The recipes worth trying for an encoder, from the most faithful to the smallest: float, int8 weights with activations
 * quantized per row at run time (dynamic) or from calibrated ranges (static), then embedding tables in 4 bits, then the
 * weights stored in 4 bits too, and in 3 where examples show how to round them. 7-bit weights run exactly in one instruction on every
 * CPU, 8-bit ones on most.
 */
export function listRecipes({ calibrated }: ListRecipesOptions): readonly Recipe[] {
  const modes: readonly Activations[] = calibrated ? ['dynamic', 'static'] : ['dynamic'];
  return [
    ORIGINAL,
    { name: 'float32', steps: [ENCODER] },
    ...modes.flatMap((activations) => [8, 7].map((bits) => int8(bits as 7 | 8, activations))),
    ...modes.map(int4Embeddings),
    ...modes.map((activations) => smallWeights(4, activations)),
    ...(calibrated ? [smallWeights(3, 'static')] : []),
  ];
}

/**
 * The recipes worth trying for a convolutional network: float, then static int8, whose activations need calibration. No way to
 * find their ranges is best for all networks, and the search measures which one is. 7-bit weights run in one exact
 * instruction on every CPU, and cost depthwise networks accuracy.
 */
export function listConvNetRecipes({ calibrated }: ListRecipesOptions): readonly Recipe[] {
  const float: Recipe = { name: 'float32', steps: [CONV_NET] };
  if (!calibrated) return [ORIGINAL, float];
  return [
    ORIGINAL,
    float,
    staticConvNet('w8a8-static', 8, 'mse'),
    staticConvNet('w8a8-static-minmax', 8, 'minmax'),
    staticConvNet('w7a8-static', 7, 'mse'),
  ];
}

/** The only recipe for a convolutional network that is quantized already: as it is, on the engine. */
export function listQuantizedNetRecipes(): readonly Recipe[] {
  return [ORIGINAL, { name: 'as-quantized', steps: [{ name: 'quantized-net' }] }];
}

function staticConvNet(name: string, weightBits: 7 | 8, activationRange: ActivationRange): Recipe {
  return { name, steps: [CONV_NET, { name: 'quantize-conv-net', options: { weightBits, activationRange } }] };
}

/** The recipes worth trying for a network with a memory, or another one of sounds: float, then weights of 8 and 7 bits. */
export function listRecurrentNetRecipes(): readonly Recipe[] {
  const net: RecipeStep = { name: 'recurrent-net' };
  const quantized = ([8, 7] as const).map((weightBits): Recipe => {
    const lstms: RecipeStep = { name: 'quantize-lstms', options: { weightBits } };
    return { name: `w${weightBits}a8-dynamic`, steps: [net, lstms, linears(weightBits, 'dynamic')] };
  });
  return [ORIGINAL, { name: 'float32', steps: [net] }, ...quantized];
}

const CONV_NET: RecipeStep = { name: 'conv-net' };

const ENCODER: RecipeStep = { name: 'edge-encoder' };

function int8(weightBits: 7 | 8, activations: Activations): Recipe {
  return {
    name: `w${weightBits}a8-${activations}`,
    steps: [ENCODER, linears(weightBits, activations), embeddings(8)],
  };
}

function int4Embeddings(activations: Activations): Recipe {
  return {
    name: `w7a8-${activations}+int4-embeddings`,
    steps: [ENCODER, linears(7, activations), embeddings(4)],
  };
}

function smallWeights(weightBits: 3 | 4, activations: Activations): Recipe {
  const weights: RecipeStep = {
    name: 'quantize-weights-int4',
    options: { weightBits, computeBits: 7, activations },
  };
  return {
    name: `w7a8-${activations}+int4-embeddings+int${weightBits}-weights`,
    steps: [ENCODER, weights, embeddings(4)],
  };
}

function linears(weightBits: 7 | 8, activations: Activations): RecipeStep {
  return { name: 'quantize-linears', options: { weightBits, activations } };
}

function embeddings(bits: 4 | 8): RecipeStep {
  return { name: 'quantize-embeddings', options: { bits } };
}
