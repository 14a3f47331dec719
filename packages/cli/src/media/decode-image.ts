import type { RawImage } from '@edgewise/runtime/image';
import { UsageError } from '../command/usage-error.ts';
import { loadSharp } from './load-sharp.ts';

/** As large as the runtime takes: 384 MiB as RGB. */
const MAX_PIXELS = 2 ** 27;

/**
 * Decodes an image file, upright by its EXIF orientation, 8 bits a channel, in sRGB.
 * @throws UsageError naming the file when it is missing, damaged, too large or no image
 */
export async function decodeImage(path: string): Promise<RawImage> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .autoOrient()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels as RawImage['channels'] };
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0] ?? '';
    throw new UsageError(
      `${path} cannot be read as an image: ${why}`,
      'JPEG, PNG, WebP, GIF, AVIF and TIFF are.',
    );
  }
}
