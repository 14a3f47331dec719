import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { value, type OptionTable } from '../command/option.ts';
import { plainText, wholeNumber } from '../command/units.ts';

export interface RunOptions extends CommonOptions {
  readonly pair?: string;
  readonly image?: string;
  readonly audio?: string;
  readonly annotate?: string;
  readonly top?: number;
}

const MAX_LABELS = 100_000;

const options: OptionTable<RunOptions> = {
  pair: value('text or file', 'second text or image, for models that compare two', plainText),
  image: value('file', 'what to run an image model on: JPEG, PNG, WebP, GIF, AVIF or TIFF', plainText),
  audio: value('file', 'what to run a sound model on: WAV', plainText),
  annotate: value(
    'file',
    'write the image with the boxes that were found, as .png, .jpg or .webp',
    plainText,
  ),
  top: value(
    'number',
    'labels to show; by default 5 for images and sounds, all for texts',
    wholeNumber(1, MAX_LABELS),
  ),
  ...COMMON_OPTIONS,
};

export const run: Command<RunOptions> = {
  name: 'run',
  summary: 'Runs a package on a text, an image or a sound and prints what it says.',
  details: "The text '-' is read from standard input.",
  example: 'run dist/sentiment-web "A funny, moving film."',
  arguments: [
    { name: 'package', description: 'package folder, or what optimize wrote' },
    { name: 'text', description: "what to run a text model on; '-' for standard input", optional: true },
  ],
  options,
  run: async (...given) => (await import('../actions/run-action.ts')).runAction(...given),
};
