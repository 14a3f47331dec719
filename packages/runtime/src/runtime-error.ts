/** Stable codes: what went wrong, for programs. The message says it for people. */
export type RuntimeErrorCode =
  /** The package is damaged, incomplete or contradicts itself. */
  | 'bad-package'
  /** A file could not be fetched or read. */
  | 'load-failed'
  /** What `run` or a task was given does not fit the model. */
  | 'bad-input'
  /** An option has an impossible value. */
  | 'bad-option'
  /** This browser or Node lacks something the package needs. */
  | 'unsupported'
  /** An optional package has to be installed. */
  | 'missing-dependency'
  /** The program trapped or a worker died while running. */
  | 'run-failed'
  /** `dispose()` was called. */
  | 'disposed';

/**
 * The one error class of the runtime. An aborted load rejects with the signal's reason instead, as fetch does.
 */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;
  /** The package's file that the error is about. */
  readonly file: string | undefined;

  constructor(
    code: RuntimeErrorCode,
    message: string,
    options: { readonly file?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.file = options.file;
  }
}
