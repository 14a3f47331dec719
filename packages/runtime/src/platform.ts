import type { StartThread } from './engine/thread-pool.ts';
import type { PackageReader, PackageSource } from './package/package-reader.ts';
import type { OnnxRuntime } from './session/onnx-runtime.ts';

/** What the engine has to know of where it runs. */
export interface EnginePlatform {
  /** Hardware threads a session may use; 1 where memory cannot be shared or the calling thread may not wait. */
  readonly maxThreads: number;
  /** Whether the four-product relaxed dot may be used at all; where false the probe is not asked about it. */
  readonly hasReliableDot: boolean;
  readonly startThread: StartThread;
}

/** What a worker that runs a session has to know. */
export interface WorkerPlatform extends EnginePlatform {
  openPackage(source: PackageSource): PackageReader;
}

/**
 * What differs between browsers and Node. Each entry of the package hands its own to the shared code, so neither's
 * code ever loads the other's.
 */
export interface Platform extends WorkerPlatform {
  /** Starts the worker that sessions run in by default; absent where they run on the calling thread. */
  readonly startWorker?: () => Worker;
  /** What to do when onnxruntime cannot be imported. */
  readonly onnxRuntimeHint: string;
  importOnnxRuntime(): Promise<OnnxRuntime>;
}
