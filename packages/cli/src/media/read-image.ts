import type { Sharp } from 'sharp';
import { UsageError } from '../command/usage-error.ts';
import { loadSharp } from './load-sharp.ts';

/** As many as the runtime takes: 384 MiB as RGB. */
const MAX_PIXELS = 2 ** 27;

/**
 * What `read` makes of an image file, which comes upright by its EXIF orientation and in sRGB; of an animation the first
 * picture. What decoders only warn of is read.
 * @throws UsageError naming the file when it is missing, damaged, too large or no image
 */
export async function readImage<T>(path: string, read: (image: Sharp) => Promise<T>): Promise<T> {
  const sharp = await loadSharp();
  try {
    const image = sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
    return await read(image.autoOrient().toColourspace('srgb'));
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0] ?? '';
    throw new UsageError(
      `${path} cannot be read as an image: ${why}`,
      why.includes('pixel limit')
        ? `At most ${MAX_PIXELS} pixels: make it smaller first.`
        : 'JPEG, PNG, WebP, GIF, AVIF and TIFF are; write a damaged one again.',
    );
  }
}
