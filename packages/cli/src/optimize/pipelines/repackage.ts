import { buildPackage } from '@edgewise/compiler';
import { MANIFEST_FILE, readManifest } from '@edgewise/runtime/format';
import { sha256 } from '../../files/hash.ts';
import type { PackageFiles } from '../../measure/package-files.ts';

/** The package with other contents of some files. */
export async function repackage(source: PackageFiles, changed: PackageFiles): Promise<PackageFiles> {
  const {
    format: _,
    formatVersion: __,
    files: entries,
    model,
    ...description
  } = readManifest(new TextDecoder().decode(source.get(MANIFEST_FILE)));
  const files = new Map([...source].filter(([name]) => name in entries));
  return buildPackage({ description, model, files: new Map([...files, ...changed]), sha256 });
}
