import { RuntimeError } from '../runtime-error.ts';
import type { PackageReader } from './package-reader.ts';

/** A package that is in memory already. */
export function mapReader(files: ReadonlyMap<string, Uint8Array>): PackageReader {
  return {
    source: files,
    // oxlint-disable-next-line typescript/require-await -- an async generator is what `open` returns
    async *open(name, signal) {
      yield fileOf(files, name, signal);
    },
  };
}

/** A file of a package in memory. */
export function fileOf<Content>(
  files: ReadonlyMap<string, Content>,
  name: string,
  signal?: AbortSignal,
): Content {
  signal?.throwIfAborted();
  const content = files.get(name);
  if (!content) throw new RuntimeError('load-failed', `the package has no ${name}`, { file: name });
  return content;
}
