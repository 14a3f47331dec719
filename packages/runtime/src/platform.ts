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

/** Where onnxruntime comes from. */
export interface OnnxPlatform {
  /** What to do when it cannot be imported. */
  readonly hint: string;
  importRuntime(): Promise<OnnxRuntime>;
}

/** Where packages come from. */
export interface PackagePlatform {
  openPackage(source: PackageSource): PackageReader;
}

/** What a worker that runs a session has to know. */
export type WorkerPlatform = EnginePlatform & PackagePlatform;
