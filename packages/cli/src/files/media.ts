import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/** A kind of files that models take. */
export interface Media {
  /** In messages. */
  readonly name: string;
  readonly plural: string;
  /** Of the files' names. */
  readonly endings: readonly string[];
}

export const IMAGES: Media = {
  name: 'image',
  plural: 'images',
  endings: ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'],
};

export const SOUNDS: Media = { name: 'sound', plural: 'sounds', endings: ['.wav'] };

/** Whether a file's name is one of that kind. */
export function isNamedAs({ endings }: Media, name: string): boolean {
  return endings.includes(extname(name).toLowerCase());
}

/** Paths of the files of that kind in a folder and its folders, in the order of their names. */
export function listMedia(folder: string, media: Media): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => isNamedAs(media, name))
    .sort()
    .map((name) => join(folder, name));
}

/** Names of the folders in a folder, sorted. */
export function listFolders(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .sort();
}
