/** One step of a recipe: a transform by its kebab-case name, with options. Plain data, so that it can be hashed and reported. */
export interface RecipeStep {
  readonly name: string;
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

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
 * quantized per row at run time (dynamic) or from calibrated ranges (static), then 4-bit storage of the embedding
 * tables and of the weights too. 7-bit weights run exactly in one instruction on every CPU, 8-bit ones on most.
 */
export function listRecipes({ calibrated }: ListRecipesOptions): readonly Recipe[] {
  const activations = calibrated ? (['dynamic', 'static'] as const) : (['dynamic'] as const);
  const grids = activations.flatMap((mode) => [quantized(8, mode), quantized(7, mode)]);
  const small = activations.map((mode) => quantized(7, mode)).map(withInt4Embeddings);
  return [ORIGINAL, { name: 'float32', steps: [COMPACT] }, ...grids, ...small, ...small.map(withInt4Weights)];
}

const COMPACT: RecipeStep = { name: 'compact-encoder' };

function quantized(weightBits: 7 | 8, activations: 'dynamic' | 'static'): Recipe {
  const options = { weightBits, activations, embeddingBits: 8, storageBits: 8 };
  return { name: `w${weightBits}a8-${activations}`, steps: [COMPACT, { name: 'quantize', options }] };
}

function withInt4Embeddings(recipe: Recipe): Recipe {
  return extend(recipe, 'int4-embeddings', { embeddingBits: 4 });
}

function withInt4Weights(recipe: Recipe): Recipe {
  return extend(recipe, 'int4-weights', { storageBits: 4 });
}

function extend(recipe: Recipe, suffix: string, options: Readonly<Record<string, number>>): Recipe {
  const steps = recipe.steps.map((step) =>
    step.name === 'quantize' ? { ...step, options: { ...step.options, ...options } } : step,
  );
  return { name: `${recipe.name}+${suffix}`, steps };
}
