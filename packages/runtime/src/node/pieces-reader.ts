import { piecesOf, type FileContent } from '../format/index.ts';
import type { PackageReader, PackageSource } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';

/** Where a package is, in Node: files in memory may be made while they are read. */
export type NodePackageSource = PackageSource | ReadonlyMap<string, FileContent>;

/** A package that is in memory, whole or in pieces. */
export function piecesReader(files: ReadonlyMap<string, FileContent>): PackageReader {
  return {
    // Which only sessions in workers look at.
    source: '',
    // oxlint-disable-next-line typescript/require-await -- an async generator is what `open` returns
    async *open(name, signal) {
      signal?.throwIfAborted();
      const content = files.get(name);
      if (!content) throw new RuntimeError('load-failed', `the package has no ${name}`, { file: name });
      yield* piecesOf(content);
    },
  };
}
