import type { EnginePlatform, OnnxPlatform, PackagePlatform } from '../platform.ts';
import type { createEdgeSession } from './edge-session.ts';
import type { createOnnxSession } from './onnx-session.ts';

/**
 * What differs between browsers and Node. Each entry of the package hands its own to the shared code, so neither's
 * code ever loads the other's.
 */
export interface Platform extends PackagePlatform {
  /** Starts the worker that sessions run in by default; absent where they run on the calling thread. */
  readonly startWorker?: () => Worker;
  /** Makes sessions on the calling thread. Few pages have one, so it is loaded where it is needed, as is the next. */
  importEdgeSession(): Promise<{
    readonly createEdgeSession: typeof createEdgeSession;
    readonly enginePlatform: EnginePlatform;
  }>;
  importOnnxSession(): Promise<{
    readonly createOnnxSession: typeof createOnnxSession;
    readonly onnxPlatform: OnnxPlatform;
  }>;
}
