import { existsSync, statSync } from 'node:fs';
import { readImageTable } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { readInput } from '../files/read-input.ts';
import { listImages } from '../image/list-images.ts';
import { imageBeside } from './read-image-examples.ts';

/** Paths of unlabelled images: those of a folder, or those that a table or a list names. */
export async function readCalibrationImages(path: string): Promise<readonly string[]> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  const images = statSync(path).isDirectory()
    ? listImages(path)
    : readImageTable(await readInput(path), { file: path }).examples.map(({ image }) =>
        imageBeside(path, image),
      );
  if (images.length === 0) throw new UsageError(`${path} holds no images.`);
  return images;
}
