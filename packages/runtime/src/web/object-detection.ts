import { browserPlatform } from '../browser/platform.ts';
import { readBrowserImage, type ImageSource } from '../image/browser-image.ts';
import { objectDetectorLoader, type LoadObjectDetector } from '../object-detection/index.ts';

export type { ImageSource } from '../image/browser-image.ts';
export type { RawImage } from '../image/pixels.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../object-detection/index.ts';
export type {
  Box,
  Detection,
  DetectOptions,
  LoadObjectDetector,
  ObjectDetector,
} from '../object-detection/index.ts';
export const load: LoadObjectDetector<ImageSource> = objectDetectorLoader(browserPlatform, readBrowserImage);
