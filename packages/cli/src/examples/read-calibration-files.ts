import { existsSync, statSync } from 'node:fs';
import { readFileTable } from '@edgewise/compiler';
import { UsageError } from '../command/usage-error.ts';
import { listMedia, type Media } from '../files/media.ts';
import { readInput } from '../files/read-input.ts';
import { fileBeside } from './read-file-examples.ts';

/** Paths of unlabelled images or sounds: those of a folder, or those that a table or a list names. */
export async function readCalibrationFiles(path: string, media: Media): Promise<readonly string[]> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  const files = statSync(path).isDirectory()
    ? listMedia(path, media)
    : readFileTable(await readInput(path), { file: path }).examples.map(({ file }) =>
        fileBeside(path, file, media),
      );
  if (files.length === 0) throw new UsageError(`${path} holds no ${media.plural}.`);
  return files;
}
