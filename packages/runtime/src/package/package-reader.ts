import type { FileEntry } from '../format/index.ts';
import { RuntimeError } from '../runtime-error.ts';

/**
 * Where a package is: the URL of its folder (browsers: relative to the page), a path or `file:` URL in Node, or its
 * files by name.
 */
export type PackageSource = string | URL | ReadonlyMap<string, Uint8Array>;

/** Reads the files of one package. */
export interface PackageReader {
  /** Absolute, so that it means the same in a worker. */
  readonly source: string | ReadonlyMap<string, Uint8Array>;
  /**
   * The file's bytes in order; a chunk is valid until the next one is asked for. Throws `load-failed` naming the
   * file, or the signal's reason.
   */
  open(name: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Reads a whole file and checks its size; with `verify` its hash as well. */
export async function readFile(
  reader: PackageReader,
  name: string,
  entry: FileEntry,
  options: { readonly verify: boolean; readonly signal?: AbortSignal | undefined },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(name, entry.bytes);
  let length = 0;
  for await (const chunk of reader.open(name, options.signal)) {
    if (length + chunk.length > entry.bytes) throw sizeError(name, entry.bytes, 'more');
    bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length < entry.bytes) throw sizeError(name, entry.bytes, length);
  if (options.verify) await checkHash(name, bytes, entry.sha256);
  return bytes;
}

function allocate(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new RuntimeError('unsupported', `there is no room for ${name}: ${bytes} bytes`, {
      file: name,
      cause,
    });
  }
}

/** Whether hashes can be computed here; pages from an insecure origin cannot. */
export function canHash(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

export async function checkHash(name: string, bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<void> {
  if (!canHash()) {
    throw new RuntimeError('unsupported', `cannot verify ${name}: this page is not a secure context`, {
      file: name,
    });
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const actual = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (actual === sha256) return;
  throw new RuntimeError(
    'bad-package',
    `${name} is damaged: its SHA-256 is ${actual}, edgewise.json says ${sha256}`,
    {
      file: name,
    },
  );
}

export function sizeError(name: string, expected: number, actual: number | 'more'): RuntimeError {
  return new RuntimeError('bad-package', `${name} has ${actual} bytes, edgewise.json says ${expected}`, {
    file: name,
  });
}
