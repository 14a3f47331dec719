import type { LayerSensitivity } from '../quantize/index.ts';
import type { Recipe, RecipeStep } from './recipe.ts';
import { isPruneStep } from './pruned-recipes.ts';

/**
 * Whether some layers of a recipe can have more bits than the others: weights in 3 or 4 bits become 7 or 8, convolutions in 8 bits float. Layers in
 * 7 bits need no search: `quantizeConvNet` gives 8 to those that lose too much. What was pruned has other layers than were measured.
 */
export function canWiden({ steps }: Recipe): boolean {
  return steps.some(isNarrow) && !steps.some(isPruneStep);
}

/** The recipe with more bits for these layers. Its name says how many they are. */
export function widenLayers({ name, steps }: Recipe, layers: readonly string[]): Recipe {
  return { name: `${name}-mixed-${layers.length}`, steps: steps.flatMap((step) => widenStep(step, layers)) };
}

/** Names of layers, first those where a bit more in each weight takes most noise from the answers. */
export function rankLayers(layers: readonly LayerSensitivity[]): readonly string[] {
  const gain = ({ signalToNoiseDb, weights }: LayerSensitivity): number =>
    10 ** (-signalToNoiseDb / 10) / weights;
  return layers.toSorted((a, b) => gain(b) - gain(a)).map(({ layer }) => layer);
}

function isNarrow(step: RecipeStep): boolean {
  return (
    step.name === 'quantize-weights-int4' ||
    (step.name === 'quantize-conv-net' && step.options.weightBits === 8)
  );
}

/** The step without the layers, and for them the same with more bits; what no step takes stays float. */
function widenStep(step: RecipeStep, except: readonly string[]): readonly RecipeStep[] {
  switch (step.name) {
    case 'quantize-weights-int4': {
      const { computeBits: weightBits, activations } = step.options;
      return [
        { ...step, options: { ...step.options, except } },
        { name: 'quantize-linears', options: { weightBits, activations } },
      ];
    }
    case 'quantize-embeddings':
      return [
        { ...step, options: { ...step.options, except } },
        { name: 'quantize-embeddings', options: { bits: 8 } },
      ];
    case 'quantize-conv-net':
      return [{ ...step, options: { ...step.options, except } }];
    default:
      return [step];
  }
}
