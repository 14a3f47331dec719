import type { ImagePreprocessing } from '../format/index.ts';
import type { RawImage } from '../image/pixels.ts';
import { preprocess, type PreparedImage } from '../image/preprocess.ts';

export type { RawImage, RawImage as ImageSource } from '../image/pixels.ts';
export type { PreparedImage } from '../image/preprocess.ts';

/** What an image task feeds the model for this image. */
export async function prepareImage(
  image: RawImage,
  preprocessing: ImagePreprocessing,
): Promise<PreparedImage> {
  return preprocess(image, preprocessing);
}
