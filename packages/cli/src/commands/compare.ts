import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { METRIC_NAMES, type MetricName } from '../command/metric-names.ts';
import { value, type OptionTable } from '../command/option.ts';
import { oneOf, plainText } from '../command/units.ts';

export interface CompareOptions extends CommonOptions {
  readonly data: string;
  readonly metric?: MetricName;
}

const options: OptionTable<CompareOptions> = {
  data: {
    ...value('path', 'labelled examples, as optimize takes them', plainText),
    required: true,
  },
  metric: value('name', `what quality is: ${METRIC_NAMES.join(', ')}`, oneOf(METRIC_NAMES)),
  ...COMMON_OPTIONS,
};

export const compare: Command<CompareOptions> = {
  name: 'compare',
  summary: 'Compares two packages on the same examples, with the interval of the difference.',
  details: 'The difference is paired: what is hard for both cancels out.',
  example: 'compare dist/a dist/b --data eval.tsv',
  arguments: [
    { name: 'a', description: 'package folder' },
    { name: 'b', description: 'package folder' },
  ],
  options,
  run: async (...given) => (await import('../actions/compare-action.ts')).compareAction(...given),
};
