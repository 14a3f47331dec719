import { CompilerError } from '../diagnostics/index.ts';
import {
  compactQuantizedNet,
  quantizeConvNet,
  quantizeEmbeddings,
  quantizeLstms,
  quantizeLinears,
  quantizeWeightsInt4,
  separateActivations,
  type ConvNetStatistics,
  type SecondMoments,
  type ValueRange,
} from '../quantize/index.ts';
import type { Transform } from '../rewrite/index.ts';
import { compactConvNet, compactRecurrentNet, edgeEncoder, tabulateBytes } from '../transforms/index.ts';
import type { Recipe, RecipeStep } from './recipe.ts';

/** What is known of the model: what was observed on calibration examples (`observeActivations`, `observeConvNet`). */
export interface Calibrated {
  /** Range by value name; static recipes need it. */
  readonly ranges?: ReadonlyMap<string, ValueRange>;
  /** Second moments of the features of linear layers by value name; rounded weights lose less with them. */
  readonly moments?: ReadonlyMap<string, SecondMoments>;
  /** Of a convolutional network after `separateActivations`; its static recipes need it. */
  readonly convNet?: ConvNetStatistics;
  /** Linear layers that no recipe quantizes. */
  readonly keepFloat?: readonly string[];
}

/**
 * The transforms that a recipe's steps name, in order.
 * @throws CompilerError `bad-option` for a static recipe of a convolutional network that was not calibrated, and for steps that prune.
 */
export function listTransforms(
  recipe: Recipe,
  { ranges, moments, convNet, keepFloat }: Calibrated = {},
): readonly Transform[] {
  const calibrated = {
    ...(ranges !== undefined && { ranges }),
    ...(moments !== undefined && { moments }),
  };
  const kept = keepFloat === undefined ? {} : { keepFloat };
  return recipe.steps.flatMap((step: RecipeStep) => {
    switch (step.name) {
      case 'prune-vocabulary':
      case 'prune-encoder':
      case 'prune-channels':
        throw new CompilerError(
          'bad-option',
          `${recipe.name}: ${step.name} looks at data and is no transform`,
          {
            hint: 'prune the model first, with chooseVocabulary and pruneVocabulary, pruneEncoder or pruneChannels, and leave the step out',
          },
        );
      case 'edge-encoder':
        return edgeEncoder();
      case 'quantize-linears':
        return [quantizeLinears({ ...step.options, ...calibrated, ...kept })];
      case 'quantize-weights-int4':
        return [quantizeWeightsInt4({ ...step.options, ...calibrated, ...except(step.options) })];
      case 'quantize-embeddings':
        return [quantizeEmbeddings({ ...step.options, ...except(step.options) })];
      case 'recurrent-net':
        return compactRecurrentNet();
      case 'quantize-lstms':
        return [quantizeLstms(step.options)];
      case 'conv-net':
        return compactConvNet();
      case 'quantized-net':
        return compactQuantizedNet();
      case 'quantize-conv-net':
        if (convNet === undefined)
          throw new CompilerError('bad-option', `${recipe.name} needs calibration examples`);
        return [
          separateActivations(),
          quantizeConvNet({ ...step.options, statistics: convNet, ...except(step.options) }),
          tabulateBytes(),
        ];
    }
  });
}

/** A test rather than names: not each of them is a layer of each step. */
function except({ except: names = [] }: { readonly except?: readonly string[] }): {
  readonly keepFloat: (layer: string) => boolean;
} {
  return { keepFloat: (layer) => names.includes(layer) };
}
