import { nodePlatform } from './platform.ts';
import type { RawImage } from '../image/pixels.ts';
import { objectDetectorLoader, type LoadObjectDetector } from '../object-detection/index.ts';

export type { RawImage, RawImage as ImageSource } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../object-detection/index.ts';
export type {
  Box,
  Detection,
  DetectOptions,
  LoadObjectDetector,
  ObjectDetector,
} from '../object-detection/index.ts';
export const load: LoadObjectDetector<RawImage> = objectDetectorLoader(nodePlatform, (image) => image);
