import type { PackageReader } from '../package/package-reader.ts';
import type { ToWorker } from './worker-protocol.ts';

/** What may lie ready for a worker that has not started yet: at 100 MB/s what comes in the 40 ms that this takes. */
const AHEAD_BYTES = 4 << 20;

export interface FileReceiver {
  readonly post: (message: ToWorker) => void;
  /** Settles when the worker takes messages. */
  readonly started: Promise<void>;
}

/**
 * Sends files of a package to a worker while they arrive. The page asks for them, and not the worker, so that they
 * download while the worker starts.
 */
export async function sendFiles(
  reader: PackageReader,
  files: readonly string[],
  { post, started }: FileReceiver,
  signal: AbortSignal | undefined,
): Promise<void> {
  const send = async (file: string): Promise<void> => {
    let sent = 0;
    for await (const bytes of reader.open(file, signal)) {
      sent += bytes.length;
      if (sent > AHEAD_BYTES) await started;
      post({ kind: 'file', file, bytes });
    }
    post({ kind: 'file', file, bytes: undefined });
  };
  await Promise.all(files.map(send));
}
