import { httpReader } from '../package/http-reader.ts';
import { mapReader } from '../package/map-reader.ts';
import type { WorkerPlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { FromWorker, ToWorker } from '../session/worker-protocol.ts';

/** Pages and workers. */
export const browserWorkerPlatform: WorkerPlatform = {
  openPackage: (source) =>
    typeof source === 'string' || source instanceof URL
      ? httpReader(new URL(source, globalThis.document?.baseURI ?? globalThis.location.href))
      : mapReader(source),
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

/** `worker.js` lies beside the bundle that this code becomes part of; bundlers know this exact expression. */
export function startWorker(): Worker {
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

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
