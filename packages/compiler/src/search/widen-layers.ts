import type { LayerSensitivity } from '../quantize/index.ts';
import type { Recipe, RecipeStep } from './recipe.ts';
import { isPruneStep } from './pruned-recipes.ts';

/**
 * Whether some layers of a recipe can have more bits than the others: weights in 3 or 4 bits become 7 or 8, convolutions with 7-bit weights
 * get 8, those with 8 bits stay float. What was pruned has other layers than were measured.
 */
export function canWiden({ steps }: Recipe): boolean {
  return steps.some(isNarrow) && !steps.some(isPruneStep);
}

/** What a recipe comes to when all its layers are widened: the steps of another one. */
export function widestSteps({ steps }: Recipe): readonly RecipeStep[] {
  return steps.flatMap((step): readonly RecipeStep[] => {
    switch (step.name) {
      case 'quantize-weights-int4':
        return [widerLinears(step.options)];
      case 'quantize-embeddings':
        return [WIDER_EMBEDDINGS];
      case 'quantize-conv-net':
        return step.options.weightBits === 7
          ? [{ ...step, options: { ...step.options, weightBits: 8 } }]
          : [];
      default:
        return [step];
    }
  });
}

/** Names of the layers that `widenLayers` gave more bits. */
export function widenedLayers(steps: readonly RecipeStep[]): ReadonlySet<string> {
  return new Set(
    steps.flatMap((step) => {
      switch (step.name) {
        case 'quantize-weights-int4':
        case 'quantize-embeddings':
          return step.options.except ?? [];
        case 'quantize-conv-net':
          return step.options.eightBits ?? step.options.except ?? [];
        default:
          return [];
      }
    }),
  );
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
  return step.name === 'quantize-weights-int4' || step.name === 'quantize-conv-net';
}

const WIDER_EMBEDDINGS: RecipeStep = { name: 'quantize-embeddings', options: { bits: 8 } };

function widerLinears({
  computeBits: weightBits,
  activations,
}: (RecipeStep & { readonly name: 'quantize-weights-int4' })['options']): RecipeStep {
  return { name: 'quantize-linears', options: { weightBits, activations } };
}

/** The step without the layers, and for them the same with more bits; what no step takes stays float. */
function widenStep(step: RecipeStep, layers: readonly string[]): readonly RecipeStep[] {
  switch (step.name) {
    case 'quantize-weights-int4':
      return [{ ...step, options: { ...step.options, except: layers } }, widerLinears(step.options)];
    case 'quantize-embeddings':
      return [{ ...step, options: { ...step.options, except: layers } }, WIDER_EMBEDDINGS];
    case 'quantize-conv-net': {
      const wider = step.options.weightBits === 7 ? { eightBits: layers } : { except: layers };
      return [{ ...step, options: { ...step.options, ...wider } }];
    }
    default:
      return [step];
  }
}
