import type { Engine } from '../engine/engine.ts';
import { loadEngine } from '../engine/load-engine.ts';
import { runThread } from '../engine/run-thread.ts';
import type { WorkerPlatform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import { errorData, type FromWorker, type ToWorker } from './worker-protocol.ts';

/** The part of a dedicated worker's global scope that is used here. */
export interface WorkerScope {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

/** The other side of `createWorkerSession` and of the browser platform's `startThread`. */
export function serveWorker(scope: WorkerScope, platform: WorkerPlatform): void {
  let engine: Engine | undefined;

  const load = async ({ source, manifest, options }: ToWorker & { kind: 'load' }): Promise<void> => {
    const reader = platform.openPackage(source);
    const { model } = manifest;
    if (model.kind !== 'edge') throw new RuntimeError('unsupported', 'only edge models run in the worker');
    const files = (): void => scope.postMessage({ kind: 'files' });
    engine = await loadEngine(platform, reader, manifest, model, options, files);
    scope.postMessage({ kind: 'loaded', info: engine.info });
  };
  const run = ({ id, feeds }: ToWorker & { kind: 'run' }): void => {
    if (!engine) throw new RuntimeError('disposed', 'the session is not loaded');
    const outputs = engine.run(feeds);
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
        try {
          return run(data);
        } catch (error) {
          return scope.postMessage({ kind: 'run-failed', id: data.id, error: errorData(error) });
        }
      case 'thread':
        return runThread(data.start, () => scope.postMessage({ kind: 'thread-ready' }));
    }
  };
}
