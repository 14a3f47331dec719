import { Command as Commander, Option } from 'commander';
import {
  COMMON_OPTIONS,
  type Command,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
} from './command.ts';
import { flagText, type AnyOption } from './option.ts';
import { UsageError } from './usage-error.ts';
import { readVersion } from './version.ts';

/** Any command, with its options erased: the table guarantees that what is parsed fits `run`. */
export type AnyCommand = Command<CommonOptions>;

/** Erases the type of a command's options, so that commands fit in one list. */
export function anyCommand<Options extends CommonOptions>(command: Command<Options>): AnyCommand {
  return command as unknown as AnyCommand;
}

/** The parser of the whole command line, made from the commands' tables. */
export function buildProgram(
  commands: readonly AnyCommand[],
  context: CommandContext,
  finish: (code: ExitCode) => void,
): Commander {
  const { terminal } = context;
  const program = new Commander('edgewise')
    .description('Turns a trained model into one that lives on a device, within a budget.')
    .version(readVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'Prints help on a command.')
    .exitOverride()
    .configureOutput({ writeOut: terminal.data, writeErr: terminal.message })
    .addHelpText('after', `\nFor example:\n  edgewise ${commands[0]?.example ?? ''}\n`);
  for (const command of commands) program.addCommand(buildCommand(command, context, finish));
  return program;
}

function buildCommand(
  command: AnyCommand,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): Commander {
  const parser = new Commander(command.name)
    .summary(command.summary)
    .description(`${command.summary}\n\n${command.details}`)
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({ writeOut: context.terminal.data, writeErr: context.terminal.message })
    .showHelpAfterError(`'edgewise ${command.name} --help' lists what it takes.`)
    .addHelpText('after', `\nFor example:\n  edgewise ${command.example}\n`);
  for (const { name, description, optional } of command.arguments)
    parser.argument(optional ? `[${name}]` : `<${name}>`, description);
  for (const [name, option] of commandOptions(command)) parser.addOption(buildOption(name, option));
  return parser.action(async () => {
    const positionals = command.arguments.map((_, i) => parser.args[i] ?? '');
    const options = Object.fromEntries(
      commandOptions(command).map(([name, option]) => [name, parser.opts()[name] ?? absent(name, option)]),
    );
    finish(await command.run(positionals, options as unknown as CommonOptions, context));
  });
}

/** The command's own options, then the common ones. */
export function commandOptions(command: AnyCommand): readonly (readonly [string, AnyOption])[] {
  const own = Object.entries<AnyOption>(command.options).filter(([name]) => !(name in COMMON_OPTIONS));
  return [...own, ...Object.entries<AnyOption>(COMMON_OPTIONS)];
}

/** Required options are checked here: commander would report a missing one before a mistyped one. */
function absent(name: string, option: AnyOption): false | undefined {
  if (option.kind === 'flag') return false;
  if ('required' in option)
    throw new UsageError(`${flagText(name, option)} is required: ${option.description}.`);
  return undefined;
}

function buildOption(name: string, option: AnyOption): Option {
  const required = 'required' in option ? ' (required)' : '';
  const built = new Option(flagText(name, option), `${option.description}${required}`);
  if (option.kind === 'flag') return built;
  built.argParser((text) => {
    try {
      return option.parse(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${flagText(name, option)}: ${error.message}`, error.hint);
    }
  });
  return 'default' in option ? built.default(option.default) : built;
}
