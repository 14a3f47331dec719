import { CompilerError } from '../diagnostics/index.ts';
import type { Budget } from '@edgewise/runtime/format';
import type { Answer, Evaluation } from '../evaluate/index.ts';
import { missedLimits, type MissedLimit } from './budget.ts';
import { bySizeThenSpeed, choose, paretoFront, type Choice } from './choose.ts';
import { findFewest } from './find-fewest.ts';
import type { Recipe } from './recipe.ts';
import { canWiden, widenLayers, widestSteps } from './widen-layers.ts';

/**
 * Keeps predictions between runs. Values are JSON; a broken or missing entry is undefined. Times and memory are not kept:
 * what a machine did at another time says nothing about a candidate that is measured now.
 */
export interface SearchCache {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
}

export interface Built<Artifact> {
  readonly artifact: Artifact;
  /**
   * Hash of everything that its predictions depend on: the files, the data, the runner, the machine. Two builds with
   * one hash are taken to be one candidate, and to predict the same.
   */
  readonly contentHash: string;
  /** False for what is only measured for comparison, as the original is. */
  readonly shippable: boolean;
}

export type SearchEvent =
  | { readonly type: 'build'; readonly recipe: string; readonly index: number; readonly total: number }
  | { readonly type: 'measure'; readonly recipe: string; readonly done: number; readonly examples: number }
  | { readonly type: 'measured'; readonly recipe: string; readonly evaluation: Evaluation }
  | { readonly type: 'refused'; readonly recipe: string; readonly error: CompilerError };

export interface SearchOptions<Artifact> {
  /** The first one is candidate 0, which drops are measured against. */
  readonly recipes: readonly Recipe[];
  readonly budget: Budget;
  /** May throw `CompilerError` when the recipe cannot be applied to this model; the search goes on without it. */
  readonly build: (recipe: Recipe) => Promise<Built<Artifact>>;
  readonly measure: (
    built: Built<Artifact>,
    context: {
      readonly recipe: Recipe;
      readonly baseline?: Evaluation;
      /** Predictions of a build with the same hash. */
      readonly known?: readonly Answer[];
      readonly onProgress: (done: number, examples: number) => void;
    },
  ) => Promise<Evaluation>;
  /**
   * Names of layers that can have more bits than a recipe gives them, first those that gain most by it (`rankLayers`). Asked once, for a recipe
   * that loses more than the budget allows and would be the smallest download, or that was refused because it no longer follows the float
   * model. Default: none.
   */
  readonly layersToWiden?: (recipe: Recipe) => Promise<readonly string[]>;
  readonly cache?: SearchCache;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SearchEvent) => void;
}

export interface Candidate {
  readonly recipe: Recipe;
  readonly evaluation: Evaluation;
  readonly shippable: boolean;
  readonly meetsBudget: boolean;
  readonly failed: readonly MissedLimit[];
  readonly onParetoFront: boolean;
}

export interface SearchResult<Artifact> {
  /** Candidate 0 first, then in the order of the recipes. */
  readonly candidates: readonly Candidate[];
  /** Recipes that could not be built, or made no candidate of their own. */
  readonly refused: readonly { readonly recipe: Recipe; readonly error: CompilerError }[];
  /** What was done to let a recipe keep within the allowed drop; undefined when there was no need or no way. */
  readonly mixed?: MixedPrecision;
  readonly choice: Choice;
  readonly chosen: Artifact;
}

/** A search for the fewest layers that need more bits than a recipe gives them. */
export interface MixedPrecision {
  /** The recipe that loses too much, or was refused because it no longer follows the float model. */
  readonly base: string;
  readonly refused: boolean;
  /** The layers that have more bits in the last candidate; undefined when no set that was tried kept within the drop. */
  readonly widened?: readonly string[];
  /** How many layers could be widened. */
  readonly layers: number;
  /** Numbers of layers that were tried, in this order. */
  readonly tried: readonly number[];
}

interface Measured<Artifact> {
  readonly recipe: Recipe;
  readonly built: Built<Artifact>;
  readonly evaluation: Evaluation;
}

interface Refused {
  readonly recipe: Recipe;
  readonly error: CompilerError;
}

/**
 * Builds and measures every recipe, one after the other so that they do not disturb each other's times, and chooses. A recipe that makes
 * of this model what an earlier one made is left out.
 * Predictions are in the cache: a search that was interrupted takes those it had made and only measures times anew.
 * @throws CompilerError `aborted` through the signal's reason, or the last refusal when nothing can be shipped.
 */
export async function searchBudget<Artifact>(
  options: SearchOptions<Artifact>,
): Promise<SearchResult<Artifact>> {
  const { recipes, budget, signal, onEvent } = options;
  const measured: Measured<Artifact>[] = [];
  const refused: Refused[] = [];
  const attempt: Attempt<Artifact> = async (recipe, index, total) => {
    signal?.throwIfAborted();
    onEvent?.({ type: 'build', recipe: recipe.name, index, total });
    try {
      const built = await options.build(recipe);
      const twin = measured.find((other) => other.built.contentHash === built.contentHash);
      if (twin) throw new CompilerError('unsupported', `the same candidate as ${twin.recipe.name}`);
      return { recipe, built, evaluation: await measure(options, recipe, built, measured[0]) };
    } catch (error) {
      // Without candidate 0 there is nothing to compare with.
      if (!(error instanceof CompilerError) || error.code === 'aborted' || index === 0) throw error;
      refused.push({ recipe, error });
      onEvent?.({ type: 'refused', recipe: recipe.name, error });
      return undefined;
    }
  };
  for (const [index, recipe] of recipes.entries()) {
    const made = await attempt(recipe, index, recipes.length);
    if (made) measured.push(made);
  }
  const mixed = await mixPrecision(options, measured, refused, attempt);
  const shippable = measured.filter(({ built }) => built.shippable);
  const last = refused.at(-1);
  if (shippable.length === 0 && last) throw last.error;

  const contenders = shippable.map(({ recipe, evaluation }) => ({ name: recipe.name, evaluation }));
  const choice = choose(contenders, budget);
  const front = paretoFront(contenders);
  const chosen = shippable.find(({ recipe }) => recipe.name === choice.name);
  if (!chosen) throw new Error(`searchBudget: the choice ${choice.name} is no candidate.`);
  const candidates = measured.map(({ recipe, built, evaluation }): Candidate => {
    const failed = missedLimits(budget, evaluation);
    const { shippable: ships } = built;
    const onParetoFront = front.includes(recipe.name);
    return { recipe, evaluation, shippable: ships, meetsBudget: failed.length === 0, failed, onParetoFront };
  });
  return { candidates, refused, choice, chosen: chosen.built.artifact, ...(mixed && { mixed }) };
}

/** Builds and measures; undefined for a recipe that was refused. */
type Attempt<Artifact> = (
  recipe: Recipe,
  index: number,
  total: number,
) => Promise<Measured<Artifact> | undefined>;

/**
 * Adds a candidate with more bits for some layers of a recipe that loses too much: the fewest that keep within the allowed drop, as if each
 * layer that is widened took a little of it (`findFewest`). None at all is the recipe, and all of them another one.
 */
async function mixPrecision<Artifact>(
  { recipes, budget, layersToWiden }: SearchOptions<Artifact>,
  measured: Measured<Artifact>[],
  refused: readonly Refused[],
  attempt: Attempt<Artifact>,
): Promise<MixedPrecision | undefined> {
  const losing = recipeToWiden(measured, refused, budget);
  const base = losing ?? brokenRecipe(measured, refused, budget);
  const layers = (base && (await layersToWiden?.(base))) ?? [];
  if (base === undefined || layers.length < 2) return undefined;
  let total = recipes.length;
  let best: Measured<Artifact> | undefined;
  const { fewest, tried } = await findFewest(layers.length, async (count) => {
    total++;
    const made = await attempt(widenLayers(base, layers.slice(0, count)), total - 1, total);
    if (made === undefined || losesTooMuch(made, budget)) return false;
    best = made;
    return true;
  });
  if (best) measured.push(best);
  return {
    base: base.name,
    refused: losing === undefined,
    layers: layers.length,
    tried,
    ...(fewest !== undefined && { widened: layers.slice(0, fewest) }),
  };
}

/**
 * Of those that lose too much and are smaller than all that meet the budget: the one that loses least, the smallest of equals. What loses too
 * much with all its layers widened is left: with 7-bit weights where those of 8 do not keep within the drop either.
 */
function recipeToWiden<Artifact>(
  measured: readonly Measured<Artifact>[],
  refused: readonly Refused[],
  budget: Budget,
): Recipe | undefined {
  const bytes = ({ evaluation }: Measured<Artifact>): number => evaluation.downloadBytes.brotli;
  const meeting = measured.filter(
    ({ built, evaluation }) => built.shippable && missedLimits(budget, evaluation).length === 0,
  );
  const smallest = Math.min(...meeting.map(bytes));
  const hopeless = [...refused, ...measured.filter((each) => losesTooMuch(each, budget))].map(({ recipe }) =>
    JSON.stringify(recipe.steps),
  );
  const [base] = measured
    .filter((each) => canWiden(each.recipe) && losesTooMuch(each, budget) && bytes(each) < smallest)
    .filter(({ recipe }) => !hopeless.includes(JSON.stringify(widestSteps(recipe))))
    .toSorted((a, b) => a.evaluation.drop.value - b.evaluation.drop.value || bySizeThenSpeed(a, b));
  return base?.recipe;
}

/** The first of those that no longer follow the float model, where no other that could be widened keeps within the drop. */
function brokenRecipe<Artifact>(
  measured: readonly Measured<Artifact>[],
  refused: readonly Refused[],
  budget: Budget,
): Recipe | undefined {
  if (measured.some((each) => canWiden(each.recipe) && !losesTooMuch(each, budget))) return undefined;
  return refused.find(({ recipe, error }) => error.code === 'numeric-check' && canWiden(recipe))?.recipe;
}

function losesTooMuch<Artifact>({ evaluation }: Measured<Artifact>, budget: Budget): boolean {
  return missedLimits(budget, evaluation).some(({ limit }) => limit === 'drop');
}

async function measure<Artifact>(
  options: SearchOptions<Artifact>,
  recipe: Recipe,
  built: Built<Artifact>,
  first: Measured<Artifact> | undefined,
): Promise<Evaluation> {
  const { cache, onEvent } = options;
  const known = await cache?.get(built.contentHash);
  const evaluation = await options.measure(built, {
    recipe,
    ...(first ? { baseline: first.evaluation } : {}),
    ...(isPredictions(known) ? { known } : {}),
    onProgress: (done, examples) => onEvent?.({ type: 'measure', recipe: recipe.name, done, examples }),
  });
  if (!evaluation.predictionsReused) await cache?.set(built.contentHash, evaluation.predictions);
  onEvent?.({ type: 'measured', recipe: recipe.name, evaluation });
  return evaluation;
}

function isPredictions(value: unknown): value is readonly Answer[] {
  const isNumber = (each: unknown): boolean => typeof each === 'number';
  return (
    Array.isArray(value) && value.every((each) => isNumber(each) || isList(each, isNumber) || isBoxes(each))
  );
}

function isBoxes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('boxes' in value)) return false;
  return isList(value.boxes, (box) => typeof box === 'object' && box !== null && 'score' in box);
}

function isList(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
