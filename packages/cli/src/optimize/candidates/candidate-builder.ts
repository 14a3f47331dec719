import {
  buildPackage,
  compileEdge,
  isPruneStep,
  listTransforms,
  runPasses,
  type Calibrated,
  type EdgeArtifact,
  type Model,
  type PackageDescription,
  type Recipe,
} from '@edgewise/compiler';
import type { Budget, Proof } from '@edgewise/runtime/format';
import { sha256 } from '../../files/hash.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { DropOf } from './drop-measurer.ts';
import { breathe } from '../pipelines/breathe.ts';
import { originalPackage } from '../subjects/original-package.ts';
import type { Sensitivity, Work } from '../pipelines/pipeline.ts';
import type { Subject } from '../subjects/subject.ts';

export interface CandidateBuilderOptions
  extends Pick<Subject, 'onnx' | 'description' | 'original' | 'files' | 'pipeline'>, Work {
  /** The compact graph, which candidates are made from. */
  readonly compact: Model;
}

export interface CandidateBuilder {
  /** The recipe's package, without proof. Candidate 0 is the original for onnxruntime. */
  readonly build: (recipe: Recipe) => Promise<PackageFiles>;
  /** The same with what was asked for and measured in the manifest. */
  readonly finish: (recipe: Recipe, budget: Budget, proof: Proof) => Promise<PackageFiles>;
  /**
   * Of the recipe's layers, if one is given, and with what each costs of the metric, if that can be measured. Undefined for a pipeline that was
   * not calibrated, or has no layers of its own.
   */
  readonly sensitivity: (options: {
    readonly recipe: Recipe | undefined;
    readonly dropOf: DropOf | undefined;
  }) => Promise<Sensitivity | undefined>;
  /** What was taken out of the candidates that were built so far, for people. */
  readonly notes: () => readonly string[];
}

/** What recipes with the same pruning share. */
interface Base {
  readonly model: Model;
  readonly calibrated: Calibrated;
  readonly files: PackageFiles;
}

/** Calibrates, and builds candidates from the compact graph. */
export async function candidateBuilder(options: CandidateBuilderOptions): Promise<CandidateBuilder> {
  const { compact, description, files, pipeline, signal } = options;
  const source = await originalPackage(options);
  const calibrated = (await pipeline.calibrate?.(compact, source, options)) ?? {};
  const unpruned: Base = { model: compact, calibrated, files };
  const pruned = new Map<string, Base>();
  const compiled = new Map<string, EdgeArtifact>();
  const notes = new Set<string>();

  const baseOf = async ({ steps }: Recipe): Promise<Base> => {
    const pruning = steps.filter(isPruneStep);
    if (pruning.length === 0 || pipeline.prune === undefined) return unpruned;
    const key = JSON.stringify(pruning);
    const known = pruned.get(key);
    if (known) return known;
    // Part of the candidate's own stage.
    const work = {
      signal,
      progress: { ...options.progress, stage: options.progress.update, done: () => {} },
    };
    const smaller = await pipeline.prune(pruning, source, work);
    const base: Base = {
      model: smaller.model,
      calibrated: (await pipeline.calibrate?.(smaller.model, smaller.source, work)) ?? {},
      files: new Map([...files.keys()].map((name) => [name, smaller.source.get(name) ?? new Uint8Array()])),
    };
    pruned.set(key, base);
    for (const note of smaller.notes) notes.add(note);
    return base;
  };
  const compile = async ({ name, steps }: Recipe, base: Base): Promise<EdgeArtifact> => {
    await breathe();
    signal.throwIfAborted();
    const rest = steps.filter((step) => step.name !== pipeline.shared && !isPruneStep(step));
    const transforms = listTransforms({ name, steps: rest }, base.calibrated);
    const { model } = await runPasses(base.model, transforms, { signal });
    if (transforms.length > 0) await pipeline.check?.(base.model, model, signal);
    return compileEdge(model, pipeline.compile);
  };
  const pack = (
    { model, files: made }: EdgeArtifact,
    others: PackageFiles,
    more: Partial<PackageDescription>,
  ): Promise<PackageFiles> =>
    buildPackage({
      description: { ...description, ...more },
      model,
      files: new Map([...made, ...others]),
      sha256,
    });
  const build = async (recipe: Recipe, more: Partial<PackageDescription>): Promise<PackageFiles> => {
    if (recipe.steps.length === 0)
      return originalPackage({ ...options, description: options.original ?? description });
    const base = await baseOf(recipe);
    const artifact = compiled.get(recipe.name) ?? (await compile(recipe, base));
    compiled.set(recipe.name, artifact);
    const steps = recipe.steps.map((step) => ({ ...step }));
    return pack(artifact, base.files, { recipe: { name: recipe.name, steps }, ...more });
  };
  return {
    build: (recipe) => build(recipe, {}),
    finish: (recipe, budget, proof) => build(recipe, { budget, proof }),
    sensitivity: async ({ recipe, dropOf }) =>
      pipeline.sensitivity?.(compact, source, calibrated, {
        ...options,
        recipe,
        dropOf:
          dropOf && (async (model) => dropOf(await pack(compileEdge(model, pipeline.compile), files, {}))),
      }),
    notes: () => [...notes],
  };
}
