import { join } from 'node:path';
import type { PackageDescription } from '@edgewise/compiler';
import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { answerKind, metricFor } from '../examples/answer-kind.ts';
import { readDataFile, textExamples } from '../examples/read-text-examples.ts';
import { readOnnxFile } from '../files/read-onnx-file.ts';
import { readTextModel, type TextModel } from '../model/read-text-model.ts';
import { encoderPipeline } from './encoder-pipeline.ts';
import { examplesToTry } from './examples-to-try.ts';
import { sentencesToCompare } from './sentences-to-compare.ts';
import type { ReadSubject } from './subject.ts';

type TextTaskName = TaskTaking<'text'>;

const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** A model of texts with its sentences. */
export const readTextSubject: ReadSubject<TextTaskName> = async (path, given) => {
  const { task } = given;
  const text = await readTextModel(path);
  if (task === 'text-classification') checkLabels(text);
  const data = await readDataFile(given.data);
  const kind = answerKind(task, text.multiLabel);
  const metric = metricFor(task, kind, given.metric);
  const examples = textExamples(data, kind, text.labels);
  const calibration = given.calibration === undefined ? [] : (await readDataFile(given.calibration)).examples;
  const { model, bytes } = await readOnnxFile(text.onnxPath);
  const maxTokens = longestInput(text, given.maxTokens);
  return {
    name: text.name,
    model,
    onnx: bytes,
    description: describeTextPackage(text, task, maxTokens),
    files: tokenizerFiles(text),
    kind,
    metric,
    examples,
    examplesKey: '',
    pipeline: encoderPipeline({
      model,
      maxTokens,
      calibration: calibration.map((example) => example.text),
      sentences: examples.map((example) => example.text),
    }),
    sizes: {},
    offer: async () => {
      if (task === 'text-classification')
        return { config: { EXAMPLES: examplesToTry(examples) }, files: new Map() };
      const { queries, others } = sentencesToCompare(examples);
      return { config: { EXAMPLES: queries, OTHERS: others }, files: new Map() };
    },
  };
};

function checkLabels({ folder, labels }: TextModel): void {
  if (labels.length > 0) return;
  throw new UsageError(
    `${join(folder, 'config.json')} has no id2label.`,
    'text-classification needs the names of the labels: "id2label": { "0": "NEGATIVE", "1": "POSITIVE" }, say. For sentence embeddings use --task feature-extraction.',
  );
}

function longestInput({ maxTokens }: TextModel, wanted: number | undefined): number {
  if (wanted === undefined || wanted <= maxTokens) return wanted ?? maxTokens;
  throw new UsageError(`--max-tokens ${wanted} is more than the model's own limit of ${maxTokens}.`);
}

function describeTextPackage(text: TextModel, task: TextTaskName, maxTokens: number): PackageDescription {
  const tokenizer = {
    file: TOKENIZER_FILE,
    ...(text.tokenizerConfig ? { configFile: TOKENIZER_CONFIG_FILE } : {}),
    maxLength: maxTokens,
  };
  const common = { name: text.name, task, tokenizer };
  if (task === 'feature-extraction') return { ...common, pooling: text.pooling, normalize: text.normalize };
  return { ...common, labels: text.labels, ...(text.multiLabel ? { multiLabel: true } : {}) };
}

/** The tokenizer's files by their names in a package. */
function tokenizerFiles({ tokenizer, tokenizerConfig }: TextModel): Map<string, Uint8Array> {
  const files = new Map([[TOKENIZER_FILE, tokenizer]]);
  if (tokenizerConfig) files.set(TOKENIZER_CONFIG_FILE, tokenizerConfig);
  return files;
}
