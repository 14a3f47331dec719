import { loadImageTask, type ReadImage } from '../image/image-task.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import type { SessionOptions } from '../session/session.ts';
import { checkTopK, type ClassifyOptions, type LabelScore } from '../tasks/label-scores.ts';
import { rankOutput } from '../tasks/rank-output.ts';
import { firstOutput, mapInputs, type TaskHandle } from '../tasks/task-handle.ts';

export type { ClassifyOptions, LabelScore } from '../tasks/label-scores.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'image-classification';

/** Best label first. One image gives one list, an array of images an array of lists. */
export interface ImageClassifier<Image> extends TaskHandle {
  (image: Image, options?: ClassifyOptions): Promise<LabelScore[]>;
  (images: readonly Image[], options?: ClassifyOptions): Promise<LabelScore[][]>;
}

/**
 * Loads an image-classification package.
 *
 *     const classify = await load('/models/mobilenet');
 *     const [best] = await classify(image, { topK: 5 });
 */
export type LoadImageClassifier<Image> = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<ImageClassifier<Image>>;

export function imageClassifierLoader<Image>(
  platform: Platform,
  readImage: ReadImage<Image>,
): LoadImageClassifier<Image> {
  return async (source, options = {}) => {
    const { handle, manifest, run } = await loadImageTask(platform, readImage, TASK, source, options);
    const classifyOne = async (image: Image, topK: number): Promise<LabelScore[]> => {
      const { outputs } = await run(image);
      return rankOutput(handle, firstOutput(handle.session, outputs).data, topK);
    };
    const classify = async (
      images: Image | readonly Image[],
      { topK = manifest.labels?.length ?? 1 }: ClassifyOptions = {},
    ): Promise<LabelScore[] | LabelScore[][]> => {
      checkTopK(topK);
      return mapInputs(images, (image) => classifyOne(image, topK));
    };
    return Object.assign(classify as ImageClassifier<Image>, handle);
  };
}
