export { hasLimits, missedLimits } from './budget.ts';
export type { Limit, MissedLimit } from './budget.ts';
export { choose, paretoFront } from './choose.ts';
export type { Choice, Contender } from './choose.ts';
export { listTransforms } from './list-transforms.ts';
export type { Calibrated } from './list-transforms.ts';
export { isPruneStep, listPrunedConvNetRecipes, listPrunedRecipes } from './pruned-recipes.ts';
export type { ConvNetPart, EncoderPart } from './pruned-recipes.ts';
export {
  listConvNetRecipes,
  listQuantizedNetRecipes,
  listRecipes,
  listRecurrentNetRecipes,
  ORIGINAL,
} from './recipe.ts';
export type { Activations, ListRecipesOptions, PruneStep, Recipe, RecipeStep } from './recipe.ts';
export { findFewest } from './find-fewest.ts';
export type { Fewest } from './find-fewest.ts';
export { canWiden, rankLayers, widenedLayers, widenLayers } from './widen-layers.ts';
export { searchBudget } from './search-budget.ts';
export type {
  Built,
  Candidate,
  MixedPrecision,
  SearchCache,
  SearchEvent,
  SearchOptions,
  SearchResult,
} from './search-budget.ts';
