import type { ImagePreprocessing } from '../format/index.ts';
import { readBrowserImage, type ImageSource } from '../image/browser-image.ts';
import { preprocess, type PreparedImage } from '../image/preprocess.ts';

export type { ImageSource } from '../image/browser-image.ts';
export type { PreparedImage } from '../image/preprocess.ts';

/** What an image task feeds the model for this image. */
export async function prepareImage(
  image: ImageSource,
  preprocessing: ImagePreprocessing,
): Promise<PreparedImage> {
  return preprocess(await readBrowserImage(image), preprocessing);
}
