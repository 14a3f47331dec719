import { browserPlatform } from '../browser/platform.ts';
import { readBrowserImage, type ImageSource } from '../image/browser-image.ts';
import {
  imageFeatureExtractorLoader,
  type LoadImageFeatureExtractor,
} from '../image-feature-extraction/index.ts';

export type { ImageSource } from '../image/browser-image.ts';
export type { RawImage } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../image-feature-extraction/index.ts';
export type { LoadImageFeatureExtractor, ImageFeatureExtractor } from '../image-feature-extraction/index.ts';
export const load: LoadImageFeatureExtractor<ImageSource> = imageFeatureExtractorLoader(
  browserPlatform,
  readBrowserImage,
);
