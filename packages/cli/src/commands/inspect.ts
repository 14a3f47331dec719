import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { flag, value, type OptionTable } from '../command/option.ts';
import { plainText, wholeNumber } from '../command/units.ts';
import { TYPICAL_PIXELS, TYPICAL_TOKENS } from '../report/typical-sizes.ts';

export interface InspectOptions extends CommonOptions {
  readonly tokens: number;
  readonly pixels: number;
  readonly simplify: boolean;
  readonly stopAfter?: string;
  readonly text: boolean;
}

const options: OptionTable<InspectOptions> = {
  tokens: {
    ...value('number', 'sequence length that costs are counted for', wholeNumber(1, 100_000)),
    default: TYPICAL_TOKENS,
  },
  pixels: {
    ...value(
      'number',
      'side of images that costs are counted for, where the model leaves it open',
      wholeNumber(1, 8192),
    ),
    default: TYPICAL_PIXELS,
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
  details:
    'Takes an ONNX file, a model folder or a package. For people who design models: what each layer costs, what depthwise separable convolutions would save, how fast a device could be at best. --verbose lists every layer.',
  example: 'inspect models/sentiment',
  arguments: [{ name: 'path', description: 'model.onnx, a folder with one, or a package folder' }],
  options,
  run: async (...given) => (await import('../actions/inspect-action.ts')).inspectAction(...given),
};
