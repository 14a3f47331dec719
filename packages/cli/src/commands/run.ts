import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { value, type OptionTable } from '../command/option.ts';
import { plainText } from '../command/units.ts';

export interface RunOptions extends CommonOptions {
  readonly pair?: string;
}

const options: OptionTable<RunOptions> = {
  pair: value('text', 'second text, for models that compare two', plainText),
  ...COMMON_OPTIONS,
};

export const run: Command<RunOptions> = {
  name: 'run',
  summary: 'Runs a package on a text and prints what it says.',
  details: "The text '-' is read from standard input.",
  example: 'run dist/sentiment-web "A funny, moving film."',
  arguments: [
    { name: 'package', description: 'package folder, or what optimize wrote' },
    { name: 'text', description: "what to run it on; '-' for standard input" },
  ],
  options,
  run: async (...given) => (await import('../actions/run-action.ts')).runAction(...given),
};
