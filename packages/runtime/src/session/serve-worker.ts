import { runThread } from '../engine/run-thread.ts';
import type { WorkerPlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import { createEdgeSession } from './edge-session.ts';
import { loadClock } from './load-clock.ts';
import type { Session } from './session.ts';
import { errorData, type FromWorker, type ToWorker } from './worker-protocol.ts';

/** The part of a dedicated worker's global scope that is used here. */
export interface WorkerScope {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

/** The other side of `createWorkerSession` and of the browser platform's `startThread`. */
export function serveWorker(scope: WorkerScope, platform: WorkerPlatform): void {
  let session: Session | undefined;

  const load = async ({ source, manifest, options }: ToWorker & { kind: 'load' }): Promise<void> => {
    const clock = loadClock();
    const reader = platform.openPackage(source);
    const { model } = manifest;
    if (model.kind !== 'edge') throw new RuntimeError('unsupported', 'only edge models run in the worker');
    const files = (): void => {
      clock.files();
      scope.postMessage({ kind: 'files' });
    };
    session = await createEdgeSession(platform, reader, manifest, model, options, { ...clock, files });
    scope.postMessage({ kind: 'loaded', info: session.info });
  };
  const run = async ({ id, feeds }: ToWorker & { kind: 'run' }): Promise<void> => {
    if (!session) throw new RuntimeError('disposed', 'the session is not loaded');
    const outputs = await session.run(feeds);
    const transfer = Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer);
    scope.postMessage({ kind: 'outputs', id, outputs }, transfer);
  };

  scope.onmessage = ({ data }) => {
    switch (data.kind) {
      case 'load':
        return void load(data).catch((error: unknown) => {
          scope.postMessage({ kind: 'load-failed', error: errorData(error) });
        });
      case 'run':
        return void run(data).catch((error: unknown) => {
          scope.postMessage({ kind: 'run-failed', id: data.id, error: errorData(error) });
        });
      case 'thread':
        return runThread(data.start, () => scope.postMessage({ kind: 'thread-ready' }));
    }
  };
}
