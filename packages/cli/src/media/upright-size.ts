import { UsageError } from '../command/usage-error.ts';
import { loadSharp } from './load-sharp.ts';

/**
 * Pixels of an image as it is seen, turned by its EXIF orientation.
 * @throws UsageError naming the file when it is no image
 */
export async function uprightSize(
  path: string,
): Promise<{ readonly width: number; readonly height: number }> {
  const sharp = await loadSharp();
  try {
    const { autoOrient } = await sharp(path).metadata();
    return autoOrient;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as an image: ${(cause as Error).message}`);
  }
}
