import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageReader } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';

const CHUNK_BYTES = 1 << 18;

/** A package in a folder, by path or `file:` URL. */
export function folderReader(folder: string | URL): PackageReader {
  const source = resolve(folder instanceof URL ? fileURLToPath(folder) : folder);
  return { source, open: (name, signal) => read(join(source, name), name, signal) };
}

/** Every chunk is the same buffer, which is why it is only valid until the next. */
async function* read(path: string, file: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const failed = (cause: unknown): RuntimeError =>
    new RuntimeError('load-failed', `cannot read ${file}: ${(cause as Error).message}`, { file, cause });
  const handle = await open(path).catch((cause: unknown) => {
    throw failed(cause);
  });
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null).catch((cause: unknown) => {
        throw failed(cause);
      });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      signal?.throwIfAborted();
    }
  } finally {
    await handle.close();
  }
}
