import type { PackageReader } from '../package/package-reader.ts';

export interface FileInbox extends PackageReader {
  /** Adds bytes to a file; undefined ends it. */
  put(file: string, bytes: Uint8Array | undefined): void;
}

interface Arrivals {
  readonly waiting: (Uint8Array | undefined)[];
  /** Tells who reads that something has come. */
  wake: () => void;
}

/** The other side of `sendFiles`: a package whose files come as messages. */
export function fileInbox(): FileInbox {
  const files = new Map<string, Arrivals>();
  const arrivalsOf = (file: string): Arrivals => {
    const arrivals = files.get(file) ?? { waiting: [], wake: () => {} };
    files.set(file, arrivals);
    return arrivals;
  };
  return {
    put: (file, bytes) => {
      const arrivals = arrivalsOf(file);
      arrivals.waiting.push(bytes);
      arrivals.wake();
    },
    open: (file, signal) => receive(arrivalsOf(file), signal),
  };
}

async function* receive(arrivals: Arrivals, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const { waiting } = arrivals;
  signal?.addEventListener('abort', () => arrivals.wake());
  for (;;) {
    while (waiting.length === 0 && !signal?.aborted) {
      await new Promise<void>((resolve) => (arrivals.wake = resolve));
    }
    signal?.throwIfAborted();
    const bytes = waiting.shift();
    if (bytes === undefined) return;
    yield bytes;
  }
}
