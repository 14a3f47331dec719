import type { Engine } from '../engine/engine.ts';
import type { EngineOptions } from '../engine/load-engine.ts';
import type { ThreadStart } from '../engine/run-thread.ts';
import type { Manifest } from '../format/index.ts';
import { RuntimeError, type RuntimeErrorCode } from '../runtime-error.ts';
import type { PackageReader } from '../package/package-reader.ts';
import type { Outputs } from './session.ts';

/** To a worker. One worker is either a session or a thread of one. */
export type ToWorker =
  | {
      readonly kind: 'load';
      readonly source: PackageReader['source'];
      readonly manifest: Manifest;
      readonly options: Omit<EngineOptions, 'signal' | 'onnxruntime'>;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly feeds: Readonly<Record<string, Float32Array | Float64Array>>;
    }
  | { readonly kind: 'thread'; readonly start: ThreadStart };

/** From a worker. */
export type FromWorker =
  | { readonly kind: 'files' }
  | { readonly kind: 'loaded'; readonly info: Engine['info'] }
  | { readonly kind: 'load-failed'; readonly error: ErrorData }
  | { readonly kind: 'outputs'; readonly id: number; readonly outputs: Outputs }
  | { readonly kind: 'run-failed'; readonly id: number; readonly error: ErrorData }
  | { readonly kind: 'thread-ready' };

/** A RuntimeError as plain data: structured clones lose classes and fields of errors. */
export interface ErrorData {
  readonly code: RuntimeErrorCode;
  readonly message: string;
  readonly file: string | undefined;
}

export function errorData(error: unknown): ErrorData {
  if (error instanceof RuntimeError) return { code: error.code, message: error.message, file: error.file };
  return { code: 'run-failed', message: String(error), file: undefined };
}

export function errorFrom({ code, message, file }: ErrorData): RuntimeError {
  return new RuntimeError(code, message, { file });
}
