export type Severity = 'error' | 'warning' | 'info';

/** Where in the input a message belongs. All fields are optional: say what is known. */
export interface DiagnosticLocation {
  /** File name as the user gave it. */
  readonly file?: string;
  /** Graph path, outermost first: `main/If_12.then_branch`. */
  readonly graph?: string;
  /** Node name, or `#index opType` for unnamed nodes. */
  readonly node?: string;
  /** Value (tensor) name. */
  readonly value?: string;
}

/** An expected problem, returned beside a result. Misuse and impossible requests throw `CompilerError`. */
export interface Diagnostic {
  readonly severity: Severity;
  /** Stable kebab-case identifier, e.g. `pass-rolled-back`, `unsupported-op`. */
  readonly code: string;
  /** One sentence that says what is wrong, with the values involved. */
  readonly message: string;
  readonly at?: DiagnosticLocation;
  /** What the user can do about it. */
  readonly hint?: string;
}
