import {
  compactConvNet,
  listConvNetRecipes,
  observeConvNet,
  runPasses,
  separateActivations,
  type Model,
} from '@edgewise/compiler';
import type { Media } from '../files/media.ts';
import { counted } from './counted.ts';
import { onnxEvaluator, ONNXRUNTIME_NOISE, openOnnx, runOnnx } from './onnx-evaluator.ts';
import type { Pipeline, Sample } from './pipeline.ts';

/** Ranges of images settle sooner than those of texts. */
const CALIBRATION_FILES = 100;

export interface ConvNetPipelineOptions {
  /** Extents of dimensions that the model leaves open. */
  readonly dims: Readonly<Record<string, number>>;
  /** Makes the model's input of a file as the package will. */
  readonly sampleOf: (path: string) => Promise<Sample>;
  readonly media: Media;
  /** Paths of unlabelled files; empty when there are none, int8 then cannot be built. */
  readonly calibration: readonly string[];
  /** Paths of files; rewrites are checked on the first. */
  readonly files: readonly string[];
}

/** Convolutional networks that take one image or sound. */
export function convNetPipeline({
  dims,
  sampleOf,
  media,
  calibration,
  files,
}: ConvNetPipelineOptions): Pipeline {
  const isCalibrated = calibration.length > 0;
  const calibrate: Pipeline['calibrate'] = async (compact, _original, { progress, signal }) => {
    const paths = calibration.slice(0, CALIBRATION_FILES);
    progress.stage(`calibrate on ${paths.length} ${media.plural}`);
    const convNet = await observe(compact, counted(sampled(paths, sampleOf), paths.length, progress), signal);
    progress.done();
    return { convNet };
  };
  return {
    recipes: listConvNetRecipes({ calibrated: isCalibrated }),
    shared: 'conv-net',
    passes: compactConvNet({ dims }),
    samples: () => Promise.all(files.slice(0, 1).map(sampleOf)),
    evaluate: onnxEvaluator(),
    noise: ONNXRUNTIME_NOISE,
    ...(isCalibrated ? { calibrate } : {}),
    compile: {},
  };
}

async function* sampled(
  paths: readonly string[],
  sampleOf: (path: string) => Promise<Sample>,
): AsyncGenerator<Sample> {
  for (const path of paths) yield await sampleOf(path);
}

/** What the images showed of every value that may be quantized, on onnxruntime. */
async function observe(
  compact: Model,
  samples: AsyncIterable<Sample>,
  signal: AbortSignal,
): ReturnType<typeof observeConvNet> {
  const { model } = await runPasses(compact, [separateActivations()], { signal });
  const inputs = new Set(model.graph.inputs.map(({ name }) => name));
  let session: Awaited<ReturnType<typeof openOnnx>> | undefined;
  try {
    return await observeConvNet(
      model,
      async (sample, want, emit) => {
        session ??= await openOnnx(
          model,
          want.filter((name) => !inputs.has(name)),
        );
        for (const [name, tensor] of [...sample, ...(await runOnnx(session, sample))]) emit(name, tensor);
      },
      samples,
      { signal },
    );
  } finally {
    session?.dispose();
  }
}
