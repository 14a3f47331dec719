import { CommanderError } from 'commander';
import { anyCommand, buildProgram, type AnyCommand } from './command/build-program.ts';
import type { CommandContext, ExitCode } from './command/command.ts';
import { UsageError } from './command/usage-error.ts';
import { bench } from './commands/bench.ts';
import { compare } from './commands/compare.ts';
import { inspect } from './commands/inspect.ts';
import { optimize } from './commands/optimize.ts';
import { run } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { systemErrorText } from './files/system-error.ts';
import { clearLine } from './terminal/progress.ts';

/** Every command, in the order of help: the common one first. */
export const COMMANDS: readonly AnyCommand[] = [
  anyCommand(optimize),
  anyCommand(run),
  anyCommand(serve),
  anyCommand(bench),
  anyCommand(compare),
  anyCommand(inspect),
];

/** Runs one command line and reports its errors. Never throws. */
export async function runCli(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = buildProgram(COMMANDS, context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its own message; only what it was asked to print ends well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    clearLine(context.terminal);
    if (context.signal.aborted) {
      context.terminal.message('Interrupted.\n');
      return 130;
    }
    return reportError(error, context, argv.includes('--verbose'));
  }
}

function reportError(error: unknown, { terminal }: CommandContext, verbose: boolean): ExitCode {
  const { messageColors: colors } = terminal;
  const problem = error instanceof Error ? error : new Error(String(error));
  terminal.message(`${colors.red('error:')} ${systemErrorText(problem) ?? withFile(problem)}\n`);
  const hint = 'hint' in problem && typeof problem.hint === 'string' ? problem.hint : undefined;
  if (hint) terminal.message(`${hint.slice(0, 1).toUpperCase()}${hint.slice(1)}\n`);
  if (verbose) terminal.message(`${stackOf(problem)}\n`);
  // By its code: the compiler, and with it the class of its errors, is loaded only by the commands that need it.
  const usage = problem instanceof UsageError || ('code' in problem && problem.code === 'bad-option');
  return usage ? 2 : 1;
}

/** The message, behind the file that it is about when it does not say so itself. */
function withFile(problem: Error & { readonly at?: { readonly file?: string } }): string {
  const { message, at: { file } = {} } = problem;
  return file === undefined || message.includes(file) ? message : `${file}: ${message}`;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
