import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { flag, value, type OptionTable } from '../command/option.ts';
import { plainText, wholeNumber } from '../command/units.ts';
import { TYPICAL_TOKENS } from '../report/typical-tokens.ts';

export interface InspectOptions extends CommonOptions {
  readonly tokens: number;
  readonly simplify: boolean;
  readonly stopAfter?: string;
  readonly text: boolean;
}

const options: OptionTable<InspectOptions> = {
  tokens: {
    ...value('number', 'sequence length that costs are counted for', wholeNumber(1, 100_000)),
    default: TYPICAL_TOKENS,
  },
  simplify: flag(
    'an ONNX model as optimize would compile it, with what each pass changed and its largest error',
  ),
  stopAfter: value('pass', 'simplify only up to this pass, to find the one that goes wrong', plainText),
  text: flag('print the graph itself'),
  ...COMMON_OPTIONS,
};

export const inspect: Command<InspectOptions> = {
  name: 'inspect',
  summary: 'Shows what a model or a package is made of and what running it costs.',
  details: 'Takes an ONNX file, a model folder or a package. --verbose lists every layer.',
  example: 'inspect models/sentiment',
  arguments: [{ name: 'path', description: 'model.onnx, a folder with one, or a package folder' }],
  options,
  run: async (...given) => (await import('../actions/inspect-action.ts')).inspectAction(...given),
};
