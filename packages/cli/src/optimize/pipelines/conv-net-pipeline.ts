import {
  compactConvNet,
  CompilerError,
  followFloat,
  listConvNetRecipes,
  listPrunedConvNetRecipes,
  measureSensitivity,
  observeConvNet,
  quantizeConvNet,
  runPasses,
  separateActivations,
  tabulateBytes,
  typedData,
  type ActivationRunner,
  type ConvNetPart,
  type ConvNetStatistics,
  type Model,
  type QuantizeConvNetOptions,
  type Recipe,
} from '@edgewise/compiler';
import { CONV_NET_PARTS } from '../../command/prunable-names.ts';
import type { Media } from '../../files/media.ts';
import { counted } from './counted.ts';
import { onnxEvaluator, ONNXRUNTIME_NOISE, openOnnx, type OnnxModel } from './onnx-evaluator.ts';
import { joinNumbers } from './join-numbers.ts';
import type { Pipeline, Sample, Sensitivity, SensitivityWork } from './pipeline.ts';
import type { PrunableKind } from './prunable-parts.ts';
import { pruneConvNet } from './prune-conv-net.ts';

/** Ranges of images settle sooner than those of texts. */
const CALIBRATION_FILES = 100;

/** Candidates are compared with the float model on so many. */
const CHECKED_FILES = 4;

/** What a layer does to the answers shows on a few. */
const SENSITIVITY_FILES = 8;

/** Their convolutions have channels that only one other reads. */
export const CONV_NETS: PrunableKind<ConvNetPart> = {
  models: 'convolutional networks',
  parts: CONV_NET_PARTS,
};

export interface ConvNetPipelineOptions {
  /** As it was read. */
  readonly model: Model;
  /** Extents of dimensions that the model leaves open. */
  readonly dims: Readonly<Record<string, number>>;
  /** Makes the model's input of a file as the package will. */
  readonly sampleOf: (path: string) => Promise<Sample>;
  /** Makes another input to fit a pruned model to, for inputs that have a mirror image. */
  readonly mirror?: (sample: Sample) => Sample;
  readonly media: Media;
  /** Paths of unlabelled files; empty when there are none, int8 then cannot be built. */
  readonly calibration: readonly string[];
  /** Paths of files; rewrites are checked on the first. */
  readonly files: readonly string[];
  /** Parts that candidates are tried without; needs calibration files. */
  readonly prune: readonly ConvNetPart[];
}

/** Convolutional networks that take one image or sound. */
export function convNetPipeline({
  model,
  dims,
  sampleOf,
  mirror,
  media,
  calibration,
  files,
  prune,
}: ConvNetPipelineOptions): Pipeline {
  const isCalibrated = calibration.length > 0;
  const passes = compactConvNet({ dims });
  const calibrate: Pipeline['calibrate'] = async (compact, _original, { progress, signal }) => {
    const paths = calibration.slice(0, CALIBRATION_FILES);
    progress.stage(`calibrate on ${paths.length} ${media.plural}`);
    const convNet = await observe(compact, counted(sampled(paths, sampleOf), paths.length, progress), signal);
    progress.done();
    return { convNet };
  };
  const check: Pipeline['check'] = (compact, candidate, signal) =>
    checkFollows(compact, candidate, sampled(files.slice(0, CHECKED_FILES), sampleOf), signal);
  const sensitivity: Pipeline['sensitivity'] = (compact, _original, { convNet = new Map() }, work) =>
    measure(compact, convNet, sampled(calibration.slice(0, SENSITIVITY_FILES), sampleOf), work);
  return {
    recipes: [
      ...listConvNetRecipes({ calibrated: isCalibrated }),
      ...(prune.length > 0 ? listPrunedConvNetRecipes() : []),
    ],
    shared: 'conv-net',
    passes,
    samples: () => Promise.all(files.slice(0, 1).map(sampleOf)),
    evaluate: onnxEvaluator(),
    noise: ONNXRUNTIME_NOISE,
    ...(isCalibrated ? { calibrate, check, sensitivity } : {}),
    ...(prune.length > 0
      ? { prune: pruneConvNet({ model, passes, sampleOf, ...(mirror && { mirror }), media, calibration }) }
      : {}),
    compile: {},
  };
}

async function* sampled(
  paths: readonly string[],
  sampleOf: (path: string) => Promise<Sample>,
): AsyncGenerator<Sample> {
  for (const path of paths) yield await sampleOf(path);
}

/** What the samples showed of every value that may be quantized, on onnxruntime. */
async function observe(
  compact: Model,
  samples: AsyncIterable<Sample>,
  signal: AbortSignal,
): ReturnType<typeof observeConvNet> {
  const model = await separated(compact, signal);
  const runner = onnxRunner(model);
  try {
    return await observeConvNet(model, runner.run, samples, { signal });
  } finally {
    await runner.close();
  }
}

/**
 * @throws CompilerError `numeric-check` for a candidate whose outputs no longer follow the float model's, with the layer where
 * that begins and the likely cause
 */
async function checkFollows(
  compact: Model,
  candidate: Model,
  samples: AsyncIterable<Sample>,
  signal: AbortSignal,
): Promise<void> {
  const float = await separated(compact, signal);
  const [runFloat, runCandidate] = [onnxRunner(float), onnxRunner(candidate)];
  try {
    const { diagnostics } = await followFloat({
      float,
      runFloat: runFloat.run,
      candidate,
      runCandidate: runCandidate.run,
      samples,
    });
    const [broken] = diagnostics;
    if (broken)
      throw new CompilerError('numeric-check', broken.message, {
        ...(broken.at && { at: broken.at }),
        ...(broken.hint !== undefined && { hint: broken.hint }),
      });
  } finally {
    await Promise.all([runFloat.close(), runCandidate.close()]);
  }
}

/** One layer after the other on onnxruntime. */
async function measure(
  compact: Model,
  statistics: ConvNetStatistics,
  files: AsyncIterable<Sample>,
  { progress, signal, recipe, dropOf }: SensitivityWork,
): Promise<Sensitivity> {
  const { scheme, options: how } = sensitivityScheme(recipe);
  progress.stage('quantize one layer at a time');
  const samples: Sample[] = [];
  for await (const sample of files) samples.push(sample);
  const layers = await measureSensitivity({
    float: await separated(compact, signal),
    quantize: (options) => quantizeConvNet({ ...options, ...how, statistics }),
    outputsOf: (model) => outputsOf(model, samples),
    ...(dropOf && {
      dropOf: async (model: Model) => dropOf((await runPasses(model, [tabulateBytes()])).model),
    }),
    signal,
    onProgress: (done, total) => progress.update(`${done} of ${total} layers`),
  });
  progress.done();
  return { scheme, layers };
}

/**
 * Weights and input of a layer in 8 bits: of all layers, or of those that the recipe does not leave float anyway. Where layers in 7 bits are to
 * get 8, their weights alone in 7: all that this can win back.
 */
function sensitivityScheme(recipe: Recipe | undefined): {
  readonly scheme: string;
  readonly options: Partial<QuantizeConvNetOptions>;
} {
  const step = recipe?.steps.find((each) => each.name === 'quantize-conv-net');
  if (step?.options.weightBits === 7)
    return { scheme: 'weights in 7 bits', options: { weightBits: 7, activations: 'float' } };
  return { scheme: 'weights and input in 8 bits', options: recipe ? {} : { noiseLimit: 1 } };
}

async function outputsOf(model: Model, samples: readonly Sample[]): Promise<Float32Array> {
  const opened = await openOnnx(model);
  const numbers: Float32Array[] = [];
  try {
    for (const sample of samples)
      for (const tensor of (await opened.run(sample)).values())
        if (tensor.kind === 'dense' && tensor.dtype === 'float32')
          numbers.push(typedData({ ...tensor, dtype: tensor.dtype }));
  } finally {
    await opened.close();
  }
  return joinNumbers(numbers);
}

async function separated(compact: Model, signal: AbortSignal): Promise<Model> {
  return (await runPasses(compact, [separateActivations()], { signal })).model;
}

/** Hands over inner values of a model; what is wanted must be the same in every run. */
function onnxRunner(model: Model): { readonly run: ActivationRunner; readonly close: () => Promise<void> } {
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  let opened: OnnxModel | undefined;
  return {
    run: async (sample, want, emit) => {
      opened ??= await openOnnx(
        model,
        want.filter((name) => !inputs.has(name)),
      );
      for (const [name, tensor] of [...sample, ...(await opened.run(sample))]) emit(name, tensor);
    },
    close: async () => opened?.close(),
  };
}
