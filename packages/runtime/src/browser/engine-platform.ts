import type { EnginePlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { FromWorker, ToWorker } from '../session/worker-protocol.ts';
import { startWorker } from './start-worker.ts';

/** Pages and workers. */
export const enginePlatform: EnginePlatform = {
  hasReliableDot: true,
  maxThreads: canWait() ? navigator.hardwareConcurrency : 1,
  startThread: (start) =>
    new Promise((resolve, reject) => {
      const worker = startWorker();
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === 'thread-ready') resolve(worker);
      };
      worker.onerror = ({ message }) => {
        worker.terminate();
        reject(new RuntimeError('unsupported', `a thread did not start: ${message}`));
      };
      const message: ToWorker = { kind: 'thread', start };
      worker.postMessage(message);
    }),
};

/** Threads need memory that can be shared, and a calling thread that may wait: a worker, never a page itself. */
function canWait(): boolean {
  if (!globalThis.crossOriginIsolated) return false;
  try {
    // Returns at once, for the cell is not 1; pages throw.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
