import { Worker } from 'node:worker_threads';
import { runThread, type ThreadStart } from '../engine/run-thread.ts';
import type { Thread } from '../engine/thread-pool.ts';
import { RuntimeError } from '../runtime-error.ts';

/**
 * The worker's code is a text so that it needs no file of its own: sources, dist and users' bundles all have
 * different ones. `execArgv` is not inherited, for `--input-type=module` would make it a module.
 */
const CODE = `const { parentPort, workerData } = require('node:worker_threads');
(${runThread.toString()})(workerData, () => parentPort.postMessage('ready'));`;

export function startThread(start: ThreadStart): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(CODE, { eval: true, execArgv: [], workerData: start });
    // A session that nobody disposed does not keep the process alive.
    worker.unref();
    worker.once('message', () => resolve({ terminate: () => void worker.terminate() }));
    worker.once('error', (cause) => {
      reject(new RuntimeError('unsupported', `a thread did not start: ${cause.message}`, { cause }));
    });
  });
}
