import {
  compactConvNet,
  float32Tensor,
  inspectModel,
  listConvNetRecipes,
  observeConvNet,
  runPasses,
  separateActivations,
  type Model,
} from '@edgewise/compiler';
import type { ImagePreprocessing } from '@edgewise/runtime/format';
import { prepareImage } from '@edgewise/runtime/image';
import { UsageError } from '../command/usage-error.ts';
import { decodeImage } from '../image/decode-image.ts';
import { counted } from './counted.ts';
import { onnxEvaluator, ONNXRUNTIME_NOISE, openOnnx, runOnnx } from './onnx-evaluator.ts';
import type { Pipeline, Sample } from './pipeline.ts';

/** Ranges of images settle sooner than those of texts. */
const CALIBRATION_IMAGES = 100;

export interface ConvNetPipelineOptions {
  readonly model: Model;
  readonly preprocessing: ImagePreprocessing;
  /** Paths of unlabelled images; empty when there are none, int8 then cannot be built. */
  readonly calibration: readonly string[];
  /** Paths of images; rewrites are checked on the first. */
  readonly images: readonly string[];
}

/** Convolutional networks that take images. */
export function convNetPipeline({
  model,
  preprocessing,
  calibration,
  images,
}: ConvNetPipelineOptions): Pipeline {
  const sampleOf = imageSampler(model, preprocessing);
  const isCalibrated = calibration.length > 0;
  const calibrate: Pipeline['calibrate'] = async (compact, _original, { progress, signal }) => {
    const paths = calibration.slice(0, CALIBRATION_IMAGES);
    progress.stage(`calibrate on ${paths.length} images`);
    const convNet = await observe(compact, counted(sampled(paths, sampleOf), paths.length, progress), signal);
    progress.done();
    return { convNet };
  };
  return {
    recipes: listConvNetRecipes({ calibrated: isCalibrated }),
    shared: 'conv-net',
    passes: compactConvNet({ dims: openDims(model, preprocessing) }),
    samples: () => Promise.all(images.slice(0, 1).map(sampleOf)),
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

/** Makes the model's input of an image file as the package will. */
function imageSampler(model: Model, preprocessing: ImagePreprocessing): (path: string) => Promise<Sample> {
  const input = model.graph.inputs.find(({ name }) => !model.graph.initializers.has(name));
  return async (path) => {
    const { shape, data } = (await prepareImage(await decodeImage(path), preprocessing)).input;
    if (!(data instanceof Float32Array))
      throw new UsageError('models that take bytes instead of floats cannot be optimized yet.');
    return new Map([[input?.name ?? '', float32Tensor(shape, data)]]);
  };
}

/** What the preprocessing says of dimensions that the model leaves open. */
function openDims(
  model: Model,
  { layout, width, height }: ImagePreprocessing,
): Readonly<Record<string, number>> {
  const shape = inspectModel(model).inputs[0]?.shape ?? [];
  const sizes = layout === 'NCHW' ? { 2: height, 3: width } : { 1: height, 2: width };
  return Object.fromEntries(
    Object.entries(sizes).flatMap(([axis, size]) => {
      const dim = shape[Number(axis)];
      return typeof dim === 'string' ? [[dim, size]] : [];
    }),
  );
}
