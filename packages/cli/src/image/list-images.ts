import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/** What sharp decodes, by the ending of its files. */
const ENDINGS = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'];

/** Whether a file's name is an image's. */
export function isImageName(name: string): boolean {
  return ENDINGS.includes(extname(name).toLowerCase());
}

/** Paths of the images in a folder and its folders, in the order of their names. */
export function listImages(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(isImageName)
    .sort()
    .map((name) => join(folder, name));
}

/** Names of the folders in a folder, sorted. */
export function listFolders(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .sort();
}
