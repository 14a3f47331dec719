import type { FileEntry, Manifest } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';

/** The manifest's entry for one of its files. */
export function entryOf(manifest: Manifest, file: string): FileEntry {
  const entry = manifest.files[file];
  if (!entry) throw new RuntimeError('bad-package', `edgewise.json does not list ${file}`, { file });
  return entry;
}
