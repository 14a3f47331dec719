import { httpReader } from '../package/http-reader.ts';
import { mapReader } from '../package/map-reader.ts';
import type { Platform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { OnnxRuntime } from '../session/onnx-runtime.ts';
import type { FromWorker, ToWorker } from '../session/worker-protocol.ts';

/** Pages and workers. */
export const browserPlatform: Platform = {
  openPackage: (source) =>
    typeof source === 'string' || source instanceof URL
      ? httpReader(new URL(source, globalThis.document?.baseURI ?? globalThis.location.href))
      : mapReader(source),
  hasReliableDot: true,
  maxThreads: canWait() ? navigator.hardwareConcurrency : 1,
  startWorker,
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
  onnxRuntimeHint:
    'npm install onnxruntime-web and pass the module as option onnxruntime, or name it in an import map',
  importOnnxRuntime: async () => {
    // Not a literal: bundlers would demand that everyone installs it. Pages without a bundler need an import map.
    const name: string = 'onnxruntime-web';
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as OnnxRuntime;
  },
};

/** `worker.js` lies beside the bundle that this code becomes part of; bundlers know this exact expression. */
function startWorker(): Worker {
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
