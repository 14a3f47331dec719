import type { PackageSource } from '../package/package-reader.ts';
import { readPackageManifest } from '../package/read-package-manifest.ts';
import {
  importTokenizerLibrary,
  loadTokenizer as loadFrom,
  type Encode,
} from '../tokenizer/load-tokenizer.ts';
import { nodePlatform } from './platform.ts';

export type { Encode, Encoding } from '../tokenizer/load-tokenizer.ts';

/**
 * Loads only the tokenizer of a package: what its tasks feed the model.
 *
 *     const encode = await loadTokenizer('models/sentiment');
 *     const { ids, typeIds } = encode('great film');
 */
export async function loadTokenizer(source: PackageSource): Promise<Encode> {
  const reader = nodePlatform.openPackage(source);
  const manifest = await readPackageManifest(reader);
  return loadFrom(manifest, reader, importTokenizerLibrary(), {
    verify: false,
    signal: new AbortController().signal,
  });
}
