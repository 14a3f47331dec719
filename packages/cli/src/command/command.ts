import type { Terminal } from '../terminal/terminal.ts';
import { flag, type OptionTable } from './option.ts';

/** 0: done. 1: could not, or the budget is missed. 2: bad usage. 130: interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface CommonOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

export const COMMON_OPTIONS: OptionTable<CommonOptions> = {
  json: flag('print the result as JSON on stdout and nothing else there'),
  verbose: flag('show more, and stack traces of errors'),
};

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly optional?: true;
}

export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
}

export interface Command<Options extends CommonOptions> {
  readonly name: string;
  readonly summary: string;
  /** When to use it: a sentence or two below the summary. */
  readonly details: string;
  /** A command line that works, without the program's name. */
  readonly example: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: OptionTable<Options>;
  /** `positionals` has a text for every argument; '' for an optional one left out. */
  readonly run: (
    positionals: readonly string[],
    options: Options,
    context: CommandContext,
  ) => Promise<ExitCode>;
}
