import {
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  type ValueRange,
} from '../quantize/index.ts';
import type { Transform } from '../rewrite/index.ts';
import { edgeEncoder } from '../transforms/index.ts';
import type { Recipe, RecipeStep } from './recipe.ts';

/** What was observed on calibration examples (`observeActivations`). */
export interface Calibrated {
  /** Range by value name; static recipes need it. */
  readonly ranges?: ReadonlyMap<string, ValueRange>;
  /** Mean square of each feature by value name; weights stored in 4 bits lose less with it. */
  readonly importance?: ReadonlyMap<string, Float32Array>;
}

/** The transforms that a recipe's steps name, in order. */
export function listTransforms(
  recipe: Recipe,
  { ranges, importance }: Calibrated = {},
): readonly Transform[] {
  const calibrated = ranges === undefined ? {} : { ranges };
  const weighed = importance === undefined ? {} : { importance };
  return recipe.steps.flatMap((step: RecipeStep) => {
    switch (step.name) {
      case 'edge-encoder':
        return edgeEncoder();
      case 'quantize-linears':
        return [quantizeLinears({ ...step.options, ...calibrated })];
      case 'quantize-weights-int4':
        return [quantizeWeightsInt4({ ...step.options, ...calibrated, ...weighed })];
      case 'quantize-embeddings':
        return [quantizeEmbeddings(step.options)];
    }
  });
}
