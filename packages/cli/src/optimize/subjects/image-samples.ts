import { float32Tensor, inspectModel, mirrorSample, type Model } from '@edgewise/compiler';
import type { ImagePreprocessing } from '@edgewise/runtime/format';
import { prepareImage } from '@edgewise/runtime/image';
import { UsageError } from '../../command/usage-error.ts';
import { decodeImage } from '../../media/decode-image.ts';
import { inputName } from './input-name.ts';
import type { Sample } from '../pipelines/pipeline.ts';

/** Makes the model's input of an image file as the package will. */
export function imageSampler(
  model: Model,
  preprocessing: ImagePreprocessing,
): (path: string) => Promise<Sample> {
  const name = inputName(model);
  return async (path) => {
    const { shape, data } = (await prepareImage(await decodeImage(path), preprocessing)).input;
    if (!(data instanceof Float32Array))
      throw new UsageError('models that take bytes instead of floats cannot be optimized yet.');
    return new Map([[name, float32Tensor(shape, data)]]);
  };
}

/** The mirror image of a model's input. */
export function imageMirror({ layout }: ImagePreprocessing): (sample: Sample) => Sample {
  return (sample) => mirrorSample(sample, layout === 'NCHW' ? 3 : 2);
}

/** What the preprocessing says of dimensions that the model leaves open. */
export function openImageDims(
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
