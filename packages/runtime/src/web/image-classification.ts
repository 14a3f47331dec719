import { browserPlatform } from '../browser/platform.ts';
import { imageClassifierLoader, type LoadImageClassifier } from '../image-classification/index.ts';
import { readBrowserImage, type ImageSource } from '../image/browser-image.ts';

export type { ImageSource } from '../image/browser-image.ts';
export type { RawImage } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../image-classification/index.ts';
export type {
  ClassifyOptions,
  ImageClassifier,
  LabelScore,
  LoadImageClassifier,
} from '../image-classification/index.ts';
export const load: LoadImageClassifier<ImageSource> = imageClassifierLoader(
  browserPlatform,
  readBrowserImage,
);
