import { piecesOf, type FileContent } from '../format/index.ts';
import { fileOf } from '../package/map-reader.ts';
import type { PackageReader, PackageSource } from '../package/package-reader.ts';

/** Where a package is, in Node: files in memory may be made while they are read. */
export type NodePackageSource = PackageSource | ReadonlyMap<string, FileContent>;

/** A package that is in memory, whole or in pieces. */
export function piecesReader(files: ReadonlyMap<string, FileContent>): PackageReader {
  return {
    // Which only sessions in workers look at.
    source: '',
    // oxlint-disable-next-line typescript/require-await -- an async generator is what `open` returns
    async *open(name, signal) {
      yield* piecesOf(fileOf(files, name, signal));
    },
  };
}
