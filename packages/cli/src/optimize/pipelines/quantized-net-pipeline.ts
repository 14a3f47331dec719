import { compactQuantizedNet, listQuantizedNetRecipes } from '@edgewise/compiler';
import { onnxEvaluator, ONNXRUNTIME_NOISE } from './onnx-evaluator.ts';
import type { Pipeline, Sample } from './pipeline.ts';
import type { PrunableKind } from './prunable-parts.ts';

/** For people: why there is one candidate. */
export const QUANTIZED_NOTE =
  'The model is quantized already and was compiled as it is. From the float model, optimize chooses among quantizations.';

export const QUANTIZED_NETS: PrunableKind<never> = {
  models: 'networks that are quantized already',
  parts: [],
};

export interface QuantizedNetPipelineOptions {
  /** Extents of dimensions that the model leaves open. */
  readonly dims: Readonly<Record<string, number>>;
  /** Inputs that rewrites are checked on. */
  readonly samples: () => Promise<readonly Sample[]>;
}

/** Convolutional networks that are quantized already: nothing is left to choose. */
export function quantizedNetPipeline({ dims, samples }: QuantizedNetPipelineOptions): Pipeline {
  return {
    recipes: listQuantizedNetRecipes(),
    shared: 'quantized-net',
    passes: compactQuantizedNet({ dims }),
    samples,
    evaluate: onnxEvaluator(),
    noise: ONNXRUNTIME_NOISE,
    compile: {},
  };
}
