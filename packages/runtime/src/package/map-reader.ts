import { RuntimeError } from '../runtime-error.ts';
import type { PackageReader } from './package-reader.ts';

/** A package that is in memory already. */
export function mapReader(files: ReadonlyMap<string, Uint8Array>): PackageReader {
  return {
    source: files,
    // oxlint-disable-next-line typescript/require-await -- an async generator is what `open` returns
    async *open(name, signal) {
      signal?.throwIfAborted();
      const bytes = files.get(name);
      if (!bytes) throw new RuntimeError('load-failed', `the package has no ${name}`, { file: name });
      yield bytes;
    },
  };
}
