import { nodePlatform } from './platform.ts';
import type { RawImage } from '../image/pixels.ts';
import {
  imageFeatureExtractorLoader,
  type LoadImageFeatureExtractor,
} from '../image-feature-extraction/index.ts';

export type { RawImage, RawImage as ImageSource } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../image-feature-extraction/index.ts';
export type { LoadImageFeatureExtractor, ImageFeatureExtractor } from '../image-feature-extraction/index.ts';
export const load: LoadImageFeatureExtractor<RawImage> = imageFeatureExtractorLoader(
  nodePlatform,
  (image) => image,
);
