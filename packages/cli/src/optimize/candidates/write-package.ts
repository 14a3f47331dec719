import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFiles } from '../../measure/package-files.ts';

/** Writes a package to a folder of its own, for runners to load. */
export async function writePackage(folder: string, files: PackageFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all([...files].map(([name, bytes]) => writeFile(join(folder, name), bytes)));
}
