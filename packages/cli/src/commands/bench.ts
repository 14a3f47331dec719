import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { flag, value, type OptionTable } from '../command/option.ts';
import { plainText, wholeNumber } from '../command/units.ts';

export interface BenchOptions extends CommonOptions {
  readonly text?: string;
  readonly image?: string;
  readonly audio?: string;
  readonly data?: string;
  readonly runs: number;
  readonly browser: boolean;
}

const MAX_RUNS = 100_000;

const options: OptionTable<BenchOptions> = {
  text: value('text', 'what to run; by default a sentence of about 23 tokens', plainText),
  image: value('file', 'the same for image models; by default noise of 640 × 480 pixels', plainText),
  audio: value('file', 'the same for sound models; by default a second of noise', plainText),
  data: value('path', 'run the texts of a data file or the files of a folder in turn instead', plainText),
  runs: { ...value('number', 'how many runs are timed', wholeNumber(1, MAX_RUNS)), default: 200 },
  browser: flag('measure in Chromium or Chrome as well'),
  ...COMMON_OPTIONS,
};

export const bench: Command<BenchOptions> = {
  name: 'bench',
  summary: 'Measures the latency of a package, after warm-up, with cold start and memory apart.',
  details:
    'One input after the other, from text or decoded pixels to the answer, in a process or page of its own.',
  example: 'bench dist/sentiment-web --browser',
  arguments: [{ name: 'package', description: 'package folder, or what optimize wrote' }],
  options,
  run: async (...given) => (await import('../actions/bench-action.ts')).benchAction(...given),
};
