export type { Mode, Rung } from './engine/modes.ts';
export type { PackageSource } from './package/package-reader.ts';
export { RuntimeError, type RuntimeErrorCode } from './runtime-error.ts';
export type { CreateSession } from './session/create-session.ts';
export type {
  Feeds,
  LoadTimings,
  Outputs,
  Session,
  SessionInfo,
  SessionOptions,
  Tensor,
  TensorInfo,
} from './session/session.ts';

/** Version of Edgewise; every package carries the same one. */
export const VERSION = '0.1.0';
