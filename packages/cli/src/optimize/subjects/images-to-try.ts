import { readImage } from '../../media/read-image.ts';
import type { SiteParts } from '../../site/site-files.ts';

/** Images that the page offers. */
const IMAGES_SHOWN = 6;
/** Pixels of the longer side: enough to recognise what is there. */
const LONGEST_SIDE = 480;
const JPEG_QUALITY = 80;

/** A few images from the data for the page, spread evenly over them, made small. */
export async function imagesToTry(images: readonly string[]): Promise<Pick<SiteParts, 'config' | 'files'>> {
  const paths = [...new Set(images)];
  const step = Math.max(1, paths.length / IMAGES_SHOWN);
  const shown = Array.from(
    { length: Math.min(IMAGES_SHOWN, paths.length) },
    (_, i) => paths[Math.floor(i * step)] ?? '',
  );
  const files = await Promise.all(
    shown.map(async (path, i) => [`examples/${i + 1}.jpg`, await makeSmall(path)] as const),
  );
  return { config: { EXAMPLES: files.map(([name]) => `./${name}`) }, files: new Map(files) };
}

async function makeSmall(path: string): Promise<Uint8Array> {
  return readImage(path, (image) =>
    image
      .resize({ width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside', withoutEnlargement: true })
      .flatten()
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer(),
  );
}
