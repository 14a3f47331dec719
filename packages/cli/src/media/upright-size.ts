import { readImage } from './read-image.ts';

/** Pixels of an image as it is seen, turned by its EXIF orientation. Throws what `readImage` throws. */
export async function uprightSize(
  path: string,
): Promise<{ readonly width: number; readonly height: number }> {
  return (await readImage(path, (image) => image.metadata())).autoOrient;
}
