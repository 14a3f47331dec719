import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE } from '@edgewise/runtime/format';
import { UsageError } from '../command/usage-error.ts';

/** Folder of the package inside what `optimize --target web` writes. */
export const SITE_PACKAGE_FOLDER = 'model';

/** The package that a path means: the folder itself, or the one inside a web site made by `optimize`. */
export function findPackage(path: string): string {
  const found = [path, join(path, SITE_PACKAGE_FOLDER)].find((folder) =>
    existsSync(join(folder, MANIFEST_FILE)),
  );
  if (found !== undefined) return found;
  const why = !existsSync(path)
    ? 'does not exist'
    : statSync(path).isDirectory()
      ? `has no ${MANIFEST_FILE}`
      : 'is a file, not a package folder';
  throw new UsageError(`${path} ${why}.`, "'edgewise optimize' writes packages.");
}
