import {
  quantizeEmbeddings,
  quantizeLinears,
  quantizeWeightsInt4,
  type ValueRange,
} from '../quantize/index.ts';
import type { Transform } from '../rewrite/index.ts';
import { edgeEncoder } from '../transforms/index.ts';
import type { Recipe, RecipeStep } from './recipe.ts';

/** What was observed on calibration examples; static recipes need it. */
export interface Calibrated {
  /** Range by value name. */
  readonly ranges?: ReadonlyMap<string, ValueRange>;
}

/** The transforms that a recipe's steps name, in order. */
export function listTransforms(recipe: Recipe, { ranges }: Calibrated = {}): readonly Transform[] {
  const calibrated = ranges === undefined ? {} : { ranges };
  return recipe.steps.flatMap((step: RecipeStep) => {
    switch (step.name) {
      case 'edge-encoder':
        return edgeEncoder();
      case 'quantize-linears':
        return [quantizeLinears({ ...step.options, ...calibrated })];
      case 'quantize-weights-int4':
        return [quantizeWeightsInt4({ ...step.options, ...calibrated })];
      case 'quantize-embeddings':
        return [quantizeEmbeddings(step.options)];
    }
  });
}
