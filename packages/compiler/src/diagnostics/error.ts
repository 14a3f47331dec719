import type { Diagnostic, DiagnosticLocation } from './diagnostic.ts';

/** Stable codes; the CLI maps all of them to exit code 1 except `bad-option`, which is 2. */
export type ErrorCode =
  | 'bad-option'
  | 'bad-file'
  | 'too-large'
  | 'external-data'
  | 'invalid-graph'
  | 'shape-inference'
  | 'unsupported'
  | 'numeric-check'
  | 'budget'
  | 'aborted';

export interface CompilerErrorOptions {
  readonly at?: DiagnosticLocation;
  readonly hint?: string;
  readonly cause?: unknown;
  /** All problems found, when there is more than one. */
  readonly diagnostics?: readonly Diagnostic[];
}

/** The one error class that compiler code throws for input the user can correct. */
export class CompilerError extends Error {
  override readonly name = 'CompilerError';
  readonly code: ErrorCode;
  readonly at: DiagnosticLocation | undefined;
  readonly hint: string | undefined;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: ErrorCode, message: string, options: CompilerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.at = options.at;
    this.hint = options.hint;
    this.diagnostics = options.diagnostics ?? [];
  }
}
