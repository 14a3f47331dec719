import { COMMON_OPTIONS, type Command, type CommonOptions } from '../command/command.ts';
import { METRIC_NAMES, type MetricName } from '../command/metric-names.ts';
import { CONV_NET_PARTS, ENCODER_PARTS, PRUNABLE_NAMES, type Prunable } from '../command/prunable-names.ts';
import { flag, value, type OptionTable } from '../command/option.ts';
import { TASKS, type TaskName } from '../command/task-names.ts';
import {
  listOf,
  oneOf,
  orWord,
  parseBytes,
  parseMilliseconds,
  parsePoints,
  plainText,
  wholeNumber,
} from '../command/units.ts';
import { defaultCacheFolder } from '../files/result-cache.ts';

const TARGETS = ['web', 'node'] as const;
export type TargetName = (typeof TARGETS)[number];

export interface OptimizeOptions extends CommonOptions {
  readonly task: TaskName;
  readonly data: string;
  readonly calibration?: string;
  readonly target: TargetName;
  readonly maxSize?: number;
  readonly maxLatency?: number;
  readonly maxLatencyP95?: number;
  readonly maxMemory?: number;
  readonly maxDrop?: number;
  readonly metric?: MetricName;
  readonly maxTokens?: number | 'auto';
  readonly prune?: readonly Prunable[];
  readonly out: string;
  readonly cache: string;
  readonly fresh: boolean;
  readonly sensitivity: boolean;
}

const options: OptionTable<OptimizeOptions> = {
  task: {
    ...value('name', `what the model is for: ${TASKS.join(', ')}`, oneOf(TASKS)),
    default: 'text-classification',
  },
  data: {
    ...value(
      'path',
      'labelled examples that quality is measured on: .tsv, .csv, .jsonl; images also in a folder for each class, boxes as COCO has them',
      plainText,
    ),
    required: true,
  },
  calibration: value(
    'path',
    'unlabelled examples like those the model will see: sentences, one a line, or a folder of images; allows static quantization, without which images stay float',
    plainText,
  ),
  target: {
    ...value('name', `where the package will run: ${TARGETS.join(', ')}`, oneOf(TARGETS)),
    default: 'web',
  },
  maxSize: value(
    'bytes',
    'download limit, compressed: runtime, program, weights, tokenizer; e.g. 3MB',
    parseBytes,
  ),
  maxLatency: value('time', 'limit of the median time of one input, e.g. 20ms', parseMilliseconds),
  maxLatencyP95: value('time', 'limit of the time that 95 % of inputs stay below', parseMilliseconds),
  maxMemory: value('bytes', 'limit of the memory at its peak, e.g. 64MiB', parseBytes),
  maxDrop: value(
    'points',
    'how much quality may be lost against the original, e.g. 0.5%; with --calibration, the layers that need it get more bits',
    parsePoints,
  ),
  metric: value(
    'name',
    `what quality is: ${METRIC_NAMES.join(', ')}; by default what suits the task`,
    oneOf(METRIC_NAMES),
  ),
  maxTokens: value(
    'number',
    "longest input in tokens; auto: what leaves 99.9 % of the texts uncut, less where the latency limits call for it and --max-drop is given; by default the model's own limit",
    orWord('auto', wholeNumber(8, 8192)),
  ),
  prune: value(
    'parts',
    `with --calibration and --max-drop: also try candidates without some of ${ENCODER_PARTS.join(',')} (encoders of text) or ${CONV_NET_PARTS.join(',')} (convolutional networks); what goes is found on the calibration examples, and what is left is fitted to them`,
    listOf(PRUNABLE_NAMES),
  ),
  out: {
    ...value('folder', 'where to write the package, the report and for web the page', plainText),
    required: true,
  },
  cache: {
    ...value('folder', 'where answers to the examples are kept between runs', plainText),
    default: defaultCacheFolder(),
  },
  fresh: flag('run every example again, also those whose answers are kept'),
  sensitivity: flag(
    'also measure what answers and metric lose when one layer alone is quantized, for the report; needs --calibration and takes a run over the examples for each layer',
  ),
  ...COMMON_OPTIONS,
};

export const optimize: Command<OptimizeOptions> = {
  name: 'optimize',
  summary: 'Finds the smallest package of a model that keeps within a budget, and proves it.',
  details:
    'Builds candidates (float, 8, 7, 4 and 3 bits), runs each on your data, and writes the smallest one that meets every limit. ' +
    'Exit code 1: none does. An interrupted run goes on where it stopped; times and memory are measured anew in every run.',
  example:
    'optimize models/sentiment --data eval.tsv --calibration calib.txt --max-size 3MB --max-drop 0.5% --out dist/sentiment-web',
  arguments: [
    {
      name: 'model',
      description:
        'folder with model.onnx, config.json and tokenizer.json, or for images preprocessor_config.json',
    },
  ],
  options,
  run: async (...given) => (await import('../actions/optimize-action.ts')).optimizeAction(...given),
};
