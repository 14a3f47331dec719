export type { Diagnostic, DiagnosticLocation, Severity } from './diagnostic.ts';
export { CompilerError } from './error.ts';
export type { ErrorCode } from './error.ts';
