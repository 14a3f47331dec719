import { mapReader } from '../package/map-reader.ts';
import { readPackageManifest } from '../package/read-package-manifest.ts';
import { loadTokenizer as loadFrom, type Encode } from './load-tokenizer.ts';

export type { Encode, Encoding } from './load-tokenizer.ts';

/** The tokenizer of a package whose files are in memory, alone: for calibration and for token counts. */
export async function loadTokenizer(files: ReadonlyMap<string, Uint8Array>): Promise<Encode> {
  const reader = mapReader(files);
  const { signal } = new AbortController();
  return loadFrom(await readPackageManifest(reader), reader, { verify: false, signal });
}
