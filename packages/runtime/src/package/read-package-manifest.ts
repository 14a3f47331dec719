import { MANIFEST_FILE, readManifest, type Manifest } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { PackageReader } from './package-reader.ts';

const MAX_MANIFEST_BYTES = 1 << 24;

/** Reads and checks a package's `edgewise.json`. */
export async function readPackageManifest(reader: PackageReader, signal?: AbortSignal): Promise<Manifest> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of reader.open(MANIFEST_FILE, signal)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_MANIFEST_BYTES) {
      throw new RuntimeError('bad-package', `${MANIFEST_FILE} is over 16 MiB`, { file: MANIFEST_FILE });
    }
  }
  return readManifest(text + decoder.decode());
}
