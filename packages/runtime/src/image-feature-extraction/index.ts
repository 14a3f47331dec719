import { normalizeInPlace } from '../feature-extraction/pooling.ts';
import { loadImageTask, type ReadImage } from '../image/image-task.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import type { SessionOptions } from '../session/session.ts';
import { firstOutput, mapInputs, type TaskHandle } from '../tasks/task-handle.ts';
import { poolFeatures } from './pool-features.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'image-feature-extraction';

/** One vector per image, pooled and normalized as the package says. */
export interface ImageFeatureExtractor<Image> extends TaskHandle {
  (image: Image): Promise<Float32Array>;
  (images: readonly Image[]): Promise<Float32Array[]>;
}

/**
 * Loads an image-feature-extraction package.
 *
 *     const embed = await load('/models/mobilenet');
 *     const [a, b] = await embed([image, other]);
 */
export type LoadImageFeatureExtractor<Image> = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<ImageFeatureExtractor<Image>>;

export function imageFeatureExtractorLoader<Image>(
  platform: Platform,
  readImage: ReadImage<Image>,
): LoadImageFeatureExtractor<Image> {
  return async (source, options = {}) => {
    const { handle, manifest, run } = await loadImageTask(platform, readImage, TASK, source, options);
    const { pooling = 'mean', normalize = false } = manifest;
    const extractOne = async (image: Image): Promise<Float32Array> => {
      const vector = poolFeatures(firstOutput(handle.session, (await run(image)).outputs), pooling);
      return normalize ? normalizeInPlace(vector) : vector;
    };
    const extract = (images: Image | readonly Image[]): Promise<Float32Array | Float32Array[]> =>
      mapInputs(images, extractOne);
    return Object.assign(extract as ImageFeatureExtractor<Image>, handle);
  };
}
