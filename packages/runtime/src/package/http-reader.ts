import { RuntimeError } from '../runtime-error.ts';
import type { PackageReader } from './package-reader.ts';

/** A package on a server. `folder` is absolute; what it names besides a folder (`?query`, `#hash`) is dropped. */
export function httpReader(folder: URL): PackageReader {
  const base = new URL(folder);
  base.search = base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return { source: base.href, open: (name, signal) => download(new URL(name, base).href, name, signal) };
}

async function* download(url: string, file: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const failed = (what: string, cause?: unknown): RuntimeError =>
    new RuntimeError('load-failed', `cannot load ${file} from ${url}: ${what}`, { file, cause });
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) throw failed(`HTTP status ${response.status}`);
    const body = response.body?.getReader();
    if (!body) return;
    try {
      for (;;) {
        const { done, value } = await body.read();
        if (done) return;
        yield value;
      }
    } finally {
      // Left early: let the connection go. After the end this does nothing.
      await body.cancel().catch(() => {});
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof RuntimeError ? error : failed(String(error), error);
  }
}
