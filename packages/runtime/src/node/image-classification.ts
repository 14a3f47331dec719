import { nodePlatform } from './platform.ts';
import { imageClassifierLoader, type LoadImageClassifier } from '../image-classification/index.ts';
import type { RawImage } from '../image/pixels.ts';

export type { RawImage, RawImage as ImageSource } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../image-classification/index.ts';
export type {
  ClassifyOptions,
  ImageClassifier,
  LabelScore,
  LoadImageClassifier,
} from '../image-classification/index.ts';
export const load: LoadImageClassifier<RawImage> = imageClassifierLoader(nodePlatform, (image) => image);
