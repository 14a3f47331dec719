import type { RawImage } from '@edgewise/runtime/image';
import { readImage } from './read-image.ts';

/** Decodes an image file, upright, 8 bits a channel, in sRGB. Throws what `readImage` throws. */
export async function decodeImage(path: string): Promise<RawImage> {
  const { data, info } = await readImage(path, (image) =>
    image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  );
  return { data, width: info.width, height: info.height, channels: info.channels as RawImage['channels'] };
}
