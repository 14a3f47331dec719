import {
  edgeEncoder,
  linearInputs,
  listPrunedRecipes,
  listRecipes,
  measureSensitivity,
  observeActivations,
  quantizeEmbeddings,
  quantizeWeightsInt4,
  type EncoderPart,
  type LayerSensitivity,
  type MeasureSensitivityOptions,
  type Model,
} from '@edgewise/compiler';
import type { PackageFiles } from '../../measure/package-files.ts';
import { counted } from './counted.ts';
import { engineOutputs, openActivations } from './engine-activations.ts';
import { interruptibleEvaluator } from './interruptible-evaluator.ts';
import type { Pipeline } from './pipeline.ts';
import { pruneTextModel } from './prune-text-model.ts';
import { tokenSamples } from './token-samples.ts';

/** Every rewrite is compared on so many sentences. */
const CHECKED_SAMPLES = 2;

/** What a layer does to the answers shows on a few sentences. */
const SENSITIVITY_SAMPLES = 16;

/** Ranges settle after a few hundred sentences. */
const CALIBRATION_SAMPLES = 160;

export interface EncoderPipelineOptions {
  readonly model: Model;
  readonly maxTokens: number;
  /** Unlabelled texts; empty when there are none, static recipes then cannot be built. */
  readonly calibration: readonly string[];
  /** Texts that rewrites are checked on. */
  readonly sentences: readonly string[];
  /** Parts that candidates are tried without; needs calibration texts. */
  readonly prune: readonly EncoderPart[];
}

/** Encoders of text. */
export function encoderPipeline({
  model,
  maxTokens,
  calibration,
  sentences,
  prune,
}: EncoderPipelineOptions): Pipeline {
  const isCalibrated = calibration.length > 0;
  return {
    recipes: [
      ...listRecipes({ calibrated: isCalibrated }),
      ...(prune.length > 0 ? listPrunedRecipes(prune) : []),
    ],
    shared: 'edge-encoder',
    passes: edgeEncoder(),
    samples: (original) => tokenSamples(model, original, sentences.slice(0, CHECKED_SAMPLES)),
    evaluate: interruptibleEvaluator(),
    ...(isCalibrated
      ? {
          calibrate: calibrateOn(calibration.slice(0, CALIBRATION_SAMPLES)),
          sensitivity: sensitivityOn(calibration.slice(0, SENSITIVITY_SAMPLES)),
        }
      : {}),
    ...(prune.length > 0 ? { prune: pruneTextModel({ model, calibration, sentences }) } : {}),
    compile: { maxSequence: maxTokens },
  };
}

function calibrateOn(texts: readonly string[]): NonNullable<Pipeline['calibrate']> {
  return async (compact: Model, original: PackageFiles, { progress, signal }) => {
    progress.stage(`calibrate on ${texts.length} sentences`);
    const samples = await tokenSamples(compact, original, texts);
    const values = linearInputs(compact);
    const activations = await openActivations(compact, values, samples, { signal, views: true });
    try {
      const inputs = counted(samples, samples.length, progress);
      return await observeActivations(compact, activations.run, inputs, { signal });
    } finally {
      activations.close();
      progress.done();
    }
  };
}

function sensitivityOn(texts: readonly string[]): NonNullable<Pipeline['sensitivity']> {
  return async (compact, original, { moments }, { progress, signal, recipe, dropOf }) => {
    const { weightBits = 4 } =
      recipe?.steps.find((step) => step.name === 'quantize-weights-int4')?.options ?? {};
    progress.stage('quantize one layer at a time');
    const samples = await tokenSamples(compact, original, texts);
    const measure = (quantize: MeasureSensitivityOptions['quantize']): Promise<LayerSensitivity[]> =>
      measureSensitivity({
        float: compact,
        quantize,
        outputsOf: (model) => engineOutputs(model, samples, signal),
        ...(dropOf && { dropOf }),
        signal,
        onProgress: (done, total) => progress.update(`${done} of ${total} layers`),
      });
    const tables = await measure((options) => quantizeEmbeddings({ ...options, bits: 4 }));
    const linears = await measure((options) =>
      quantizeWeightsInt4({ ...options, weightBits, ...(moments && { moments }) }),
    );
    progress.done();
    // The positions have 8 bits in every recipe.
    const layers = [...tables, ...linears].filter(({ bits }) => bits < 8);
    return { scheme: `weights in ${weightBits} bits, 8-bit activations`, layers };
  };
}
