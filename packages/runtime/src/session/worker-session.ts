import type { Engine } from '../engine/engine.ts';
import type { EngineOptions } from '../engine/load-engine.ts';
import type { EdgeModel, Manifest } from '../format/index.ts';
import type { PackageReader } from '../package/package-reader.ts';
import { RuntimeError } from '../runtime-error.ts';
import { describeTensors } from './describe-tensors.ts';
import type { LoadClock } from './load-clock.ts';
import type { Outputs, Session } from './session.ts';
import { errorFrom, type FromWorker, type ToWorker } from './worker-protocol.ts';

interface Pending {
  readonly resolve: (outputs: Outputs) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker that starts while the manifest loads. */
export interface StartedWorker {
  readonly worker: Worker;
  /** Rejects with a RuntimeError when the worker fails, also before there is a session. */
  readonly failed: Promise<never>;
}

/** A session that lives in a worker; this side passes messages. Takes over the worker and ends it. */
export async function createWorkerSession(
  { worker, failed }: StartedWorker,
  reader: PackageReader,
  manifest: Manifest,
  model: EdgeModel,
  options: EngineOptions,
  clock: LoadClock,
): Promise<Session> {
  const { signal, onnxruntime: _, ...rest } = options;
  const runs = new Map<number, Pending>();
  let nextId = 0;
  /** Why nothing more can run. */
  let ended: RuntimeError | undefined;

  const end = (reason: RuntimeError): void => {
    if (ended) return;
    ended = reason;
    worker.terminate();
    for (const { reject } of runs.values()) reject(reason);
    runs.clear();
  };
  const settle = (id: number, how: (run: Pending) => void): void => {
    const run = runs.get(id);
    runs.delete(id);
    if (run) how(run);
  };

  const info = await new Promise<Engine['info']>((resolve, reject) => {
    const abort = (): void => {
      end(new RuntimeError('disposed', 'loading was aborted'));
      reject(signal?.reason as Error);
    };
    const fail = (error: RuntimeError): void => {
      signal?.removeEventListener('abort', abort);
      end(error);
      reject(error);
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
      switch (data.kind) {
        case 'files':
          return clock.files();
        case 'loaded':
          signal?.removeEventListener('abort', abort);
          return resolve(data.info);
        case 'load-failed':
          return fail(errorFrom(data.error));
        case 'outputs':
          return settle(data.id, (run) => run.resolve(data.outputs));
        case 'run-failed':
          return settle(data.id, (run) => run.reject(errorFrom(data.error)));
        case 'thread-ready':
      }
    };
    failed.catch(fail);
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort);
    const message: ToWorker = { kind: 'load', source: reader.source, manifest, options: rest };
    worker.postMessage(message);
  });

  return {
    ...describeTensors(model),
    info: { ...info, worker: true, timings: clock.ready() },
    run: (feeds) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const id = nextId++;
        runs.set(id, { resolve, reject });
        const copies = Object.entries(feeds).map(([name, feed]) => [name, copyOf(feed)] as const);
        const message: ToWorker = { kind: 'run', id, feeds: Object.fromEntries(copies) };
        worker.postMessage(
          message,
          copies.map(([, { buffer }]) => buffer),
        );
      }),
    dispose: () => end(new RuntimeError('disposed', 'the session was disposed')),
  };
}

/** The caller keeps its own; the copy goes to the worker without another. A frame's pixels stay half as large as numbers. */
function copyOf(feed: ArrayLike<number>): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  return feed instanceof Float32Array ? new Float32Array(feed) : Float64Array.from(feed);
}
