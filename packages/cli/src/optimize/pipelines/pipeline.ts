import type {
  Calibrated,
  CompileEdgeOptions,
  Evaluator,
  LayerSensitivity,
  Model,
  PruneStep,
  Recipe,
  RecipeStep,
  Tensor,
  Tolerance,
  Transform,
} from '@edgewise/compiler';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { Progress } from '../../terminal/progress.ts';

/** One run's inputs by name. */
export type Sample = ReadonlyMap<string, Tensor>;

/** What long work shows itself with and stops by. */
export interface Work {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A compact model without some of its parts, ready to be quantized. */
export interface PrunedModel {
  readonly model: Model;
  /** The original's package with the files that are others now: the tokenizer's. Its model is still the old one. */
  readonly source: PackageFiles;
  /** What went, for people: one sentence for each step. */
  readonly notes: readonly string[];
}

/** How one family of models becomes candidates. `original` is the package of the model as it came, which knows how inputs are made. */
export interface Pipeline {
  readonly recipes: readonly Recipe[];
  /** The step of every recipe that `passes` are: what candidates share. */
  readonly shared: RecipeStep['name'];
  readonly passes: readonly Transform[];
  /** Inputs that every pass is checked on. */
  readonly samples: (original: PackageFiles) => Promise<readonly Sample[]>;
  readonly evaluate: Evaluator;
  /** What the evaluator's own optimisations may change, on top of every pass's tolerance. */
  readonly noise?: Tolerance;
  /** What static recipes need; undefined where there is nothing to calibrate with. */
  readonly calibrate?: (compact: Model, original: PackageFiles, work: Work) => Promise<Calibrated>;
  /** Does the pruning steps of a recipe, on the model that `passes` started from. */
  readonly prune?: (steps: readonly PruneStep[], original: PackageFiles, work: Work) => Promise<PrunedModel>;
  /** Throws CompilerError for a quantized candidate that no longer does what the compact model does, whatever its metric. */
  readonly check?: (compact: Model, candidate: Model, signal: AbortSignal) => Promise<void>;
  /**
   * What the answers lose when one layer alone is quantized: as the recipe does it that layers are widened of, or as most recipes do;
   * undefined where there is nothing to calibrate with.
   */
  readonly sensitivity?: (
    compact: Model,
    original: PackageFiles,
    calibrated: Calibrated,
    work: SensitivityWork,
  ) => Promise<Sensitivity>;
  readonly compile: CompileEdgeOptions;
}

export interface SensitivityWork extends Work {
  readonly recipe: Recipe | undefined;
  /** What a model loses of the metric, where that is to be measured too. */
  readonly dropOf: ((model: Model) => Promise<number>) | undefined;
}

export interface Sensitivity {
  /** What was done to each layer, for people. */
  readonly scheme: string;
  readonly layers: readonly LayerSensitivity[];
}
