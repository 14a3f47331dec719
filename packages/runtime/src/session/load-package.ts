import { chooseRung } from '../engine/choose-rung.ts';
import type { Manifest } from '../format/index.ts';
import type { PackageReader, PackageSource } from '../package/package-reader.ts';
import { readPackageManifest } from '../package/read-package-manifest.ts';
import type { Platform } from './platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import { together } from '../together.ts';
import { loadClock, type LoadClock } from './load-clock.ts';
import type { Session, SessionOptions } from './session.ts';
import { createWorkerSession, type StartedWorker } from './worker-session.ts';

/** What a task adds to loading a session. */
export interface LoadBeside<T> {
  /** Throws when the package is not for the task; nothing but the manifest has been loaded then. */
  check(manifest: Manifest): void;
  /** Runs while the session loads. */
  load(manifest: Manifest, reader: PackageReader, signal: AbortSignal): Promise<T>;
}

/** Opens a package and starts its session; what a task needs besides is loaded at the same time. */
export async function loadPackage<T>(
  platform: Platform,
  source: PackageSource,
  options: SessionOptions,
  task: LoadBeside<T>,
): Promise<{ manifest: Manifest; session: Session; beside: T }> {
  options.signal?.throwIfAborted();
  const clock = loadClock();
  const reader = platform.openPackage(source);
  // The scripts load while the manifest does.
  const started = (options.worker ?? true) ? startWorker(platform) : undefined;
  if (!started) platform.importEdgeSession().catch(() => {}); // fails where it is needed
  let starting: Promise<Session> | undefined;
  try {
    const manifest = await readPackageManifest(reader, options.signal);
    clock.manifest();
    task.check(manifest);
    const [session, beside] = await together<[Session, T]>(options.signal, (signal) => {
      starting = startSession(platform, started, reader, manifest, { ...options, signal }, clock);
      return [starting, task.load(manifest, reader, signal)];
    });
    return { manifest, session, beside };
  } catch (error) {
    started?.worker.terminate();
    void starting?.then(
      (session) => session.dispose(),
      () => {},
    );
    throw error;
  }
}

function startWorker(platform: Platform): StartedWorker | undefined {
  try {
    const worker = platform.startWorker?.();
    return worker && { worker, failed: failureOf(worker) };
  } catch (cause) {
    throw new RuntimeError(
      'unsupported',
      `the worker cannot start (${(cause as Error).message}); serve the runtime from the page's own origin, or pass worker: false`,
      { cause },
    );
  }
}

function failureOf(worker: Worker): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event): void => {
      event.preventDefault();
      reject(
        new RuntimeError('run-failed', `the worker failed: ${event.message || 'its script did not load'}`),
      );
    };
  });
  // The session hears of it, if there will be one.
  failed.catch(() => {});
  return failed;
}

async function startSession(
  platform: Platform,
  started: StartedWorker | undefined,
  reader: PackageReader,
  manifest: Manifest,
  options: SessionOptions,
  clock: LoadClock,
): Promise<Session> {
  const { model } = manifest;
  if (model.kind === 'edge') {
    const edge = { ...options, rung: chooseRung(options.rung) };
    if (started) return createWorkerSession(started, reader, manifest, model, edge, clock);
    const { createEdgeSession, enginePlatform } = await platform.importEdgeSession();
    return createEdgeSession(enginePlatform, reader, manifest, model, edge, clock);
  }
  // onnxruntime has workers of its own.
  started?.worker.terminate();
  const { createOnnxSession, onnxPlatform } = await platform.importOnnxSession();
  return createOnnxSession(onnxPlatform, reader, manifest, model, options, clock);
}
