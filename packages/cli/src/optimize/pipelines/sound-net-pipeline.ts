import {
  compactRecurrentNet,
  frontEndLayers,
  listRecurrentNetRecipes,
  type RecipeStep,
} from '@edgewise/compiler';
import { onnxEvaluator, ONNXRUNTIME_NOISE } from './onnx-evaluator.ts';
import type { Pipeline, Sample } from './pipeline.ts';
import type { PrunableKind } from './prunable-parts.ts';

const SHARED: RecipeStep['name'] = 'recurrent-net';

export const SOUND_NETS: PrunableKind<never> = {
  models: 'networks of sounds that are not made of convolutions alone',
  parts: [],
};

export interface SoundNetPipelineOptions {
  /** Inputs that rewrites are checked on. */
  readonly samples: () => Promise<readonly Sample[]>;
}

/** Networks of sounds that are not made of convolutions alone: with LSTM layers, transformers. */
export function soundNetPipeline({ samples }: SoundNetPipelineOptions): Pipeline {
  return {
    recipes: listRecurrentNetRecipes(),
    shared: SHARED,
    passes: compactRecurrentNet(),
    samples,
    evaluate: onnxEvaluator(),
    noise: ONNXRUNTIME_NOISE,
    calibrate: async (compact) => ({ keepFloat: frontEndLayers(compact) }),
    compile: {},
  };
}
