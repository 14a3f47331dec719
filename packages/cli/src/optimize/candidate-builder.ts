import {
  buildPackage,
  edgeEncoder,
  compileEdge,
  createEvaluator,
  listTransforms,
  observeActivations,
  runPasses,
  type Calibrated,
  type EdgeArtifact,
  type Model,
  type PackageDescription,
  type Recipe,
} from '@edgewise/compiler';
import type { Budget, Proof } from '@edgewise/runtime/format';
import { sha256 } from '../files/hash.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import type { Progress } from '../terminal/progress.ts';
import { breathe } from './breathe.ts';
import { engineActivations, type Activations } from './engine-activations.ts';
import { interruptibleEvaluator } from './interruptible-evaluator.ts';
import { tokenSamples, type TokenSample } from './token-samples.ts';

const ONNX_FILE = 'model.onnx';

/** Every rewrite is compared on so many sentences. */
const CHECKED_SAMPLES = 2;

/** Ranges settle after a few hundred sentences. */
export const CALIBRATION_SAMPLES = 160;

export interface CandidateBuilderOptions {
  readonly model: Model;
  /** Bytes that `model` was read from. */
  readonly onnx: Uint8Array;
  readonly description: PackageDescription;
  readonly tokenizer: ReadonlyMap<string, Uint8Array>;
  readonly maxTokens: number;
  /** Unlabelled texts; empty when there are none, static recipes then cannot be built. */
  readonly calibration: readonly string[];
  /** Texts that rewrites are checked on. */
  readonly sentences: readonly string[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface CandidateBuilder {
  /** The recipe's package, without proof. Candidate 0 is the original for onnxruntime. */
  readonly build: (recipe: Recipe) => Promise<PackageFiles>;
  /** The same with what was asked for and measured in the manifest. */
  readonly finish: (recipe: Recipe, budget: Budget, proof: Proof) => Promise<PackageFiles>;
}

/** Makes what all candidates share, the compact graph and the calibration, and builds candidates from it. */
export async function candidateBuilder(options: CandidateBuilderOptions): Promise<CandidateBuilder> {
  const { description, tokenizer, maxTokens, signal } = options;
  const original = await buildPackage({
    description,
    model: { kind: 'onnx', file: ONNX_FILE },
    files: new Map([[ONNX_FILE, options.onnx], ...tokenizer]),
    sha256,
  });
  const compact = await makeCompact(options, original);
  const calibrated =
    options.calibration.length > 0 ? await observeCalibration(options, compact, original) : {};
  const compiled = new Map<string, EdgeArtifact>();

  const compile = async ({ name, steps }: Recipe): Promise<EdgeArtifact> => {
    await breathe();
    signal.throwIfAborted();
    const rest = steps.filter((step) => step.name !== 'edge-encoder');
    const transforms = listTransforms({ name, steps: rest }, calibrated);
    const { model } = await runPasses(compact, transforms, { signal });
    return compileEdge(model, { maxSequence: maxTokens });
  };
  const build = async (recipe: Recipe, more: Partial<PackageDescription>): Promise<PackageFiles> => {
    if (recipe.steps.length === 0) return original;
    const artifact = compiled.get(recipe.name) ?? (await compile(recipe));
    compiled.set(recipe.name, artifact);
    const steps = recipe.steps.map((step) => ({ ...step }));
    return buildPackage({
      description: { ...description, recipe: { name: recipe.name, steps }, ...more },
      model: artifact.model,
      files: new Map([...artifact.files, ...tokenizer]),
      sha256,
    });
  };
  return {
    build: (recipe) => build(recipe, {}),
    finish: (recipe, budget, proof) => build(recipe, { budget, proof }),
  };
}

async function makeCompact(
  { model, sentences, signal, progress }: CandidateBuilderOptions,
  original: PackageFiles,
): Promise<Model> {
  progress.stage('simplify the graph');
  const samples = await tokenSamples(model, original, sentences.slice(0, CHECKED_SAMPLES));
  const { model: compact, diagnostics } = await runPasses(model, edgeEncoder(), {
    samples,
    evaluate: interruptibleEvaluator(),
    signal,
    onProgress: ({ pass }) => progress.update(pass),
  });
  for (const { message, hint } of diagnostics) progress.warn(hint ? `${message} ${hint}` : message);
  progress.done(`${model.graph.nodes.length} → ${compact.graph.nodes.length} operators`);
  return compact;
}

async function observeCalibration(
  { calibration, signal, progress }: CandidateBuilderOptions,
  compact: Model,
  original: PackageFiles,
): Promise<Calibrated> {
  const texts = calibration.slice(0, CALIBRATION_SAMPLES);
  progress.stage(`calibrate on ${texts.length} sentences`);
  const samples = await tokenSamples(compact, original, texts);
  const activations = (await engineActivations(compact, samples, signal)) ?? referenceActivations(compact);
  try {
    return await observeActivations(compact, activations.run, counted(samples, progress), { signal });
  } finally {
    activations.close();
    progress.done();
  }
}

/** Slower by far, and for every model. */
function referenceActivations(model: Model): Activations {
  const evaluate = createEvaluator();
  return {
    run: (sample, want, emit) =>
      evaluate(model, sample, { want }).forEach((tensor, name) => emit(name, tensor)),
    close: () => {},
  };
}

async function* counted(samples: readonly TokenSample[], progress: Progress): AsyncGenerator<TokenSample> {
  for (const [index, sample] of samples.entries()) {
    progress.update(`${index} of ${samples.length}`);
    yield sample;
    await breathe();
  }
}
