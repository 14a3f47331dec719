import { join } from 'node:path';
import type { PackageDescription, TextInput } from '@edgewise/compiler';
import { loadTokenizer } from '@edgewise/runtime/tokenizer';
import { ENCODER_PARTS } from '../../command/prunable-names.ts';
import type { TaskTaking } from '../../command/task-names.ts';
import { UsageError } from '../../command/usage-error.ts';
import { answerKind, metricFor } from '../../examples/answer-kind.ts';
import { readDataFile, textExamples } from '../../examples/read-text-examples.ts';
import { checkFloat } from '../../model/check-float.ts';
import { readOnnxFile } from '../../files/read-onnx-file.ts';
import { readTextModel, type TextModel } from '../../model/read-text-model.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import { encoderPipeline } from '../pipelines/encoder-pipeline.ts';
import { examplesToTry } from './examples-to-try.ts';
import { originalPackage } from './original-package.ts';
import { prunableParts } from '../pipelines/prunable-parts.ts';
import { sentencesToCompare } from './sentences-to-compare.ts';
import type { ReadSubject, Subject, TextLength } from './subject.ts';
import { textOfTokens } from './text-of-tokens.ts';

type TextTaskName = TaskTaking<'text'>;

const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** The most tokens that a manifest may name. */
const UNCUT = 2 ** 20;

/** A model of texts with its sentences. */
export const readTextSubject: ReadSubject<TextTaskName> = async (path, given) => {
  const { task } = given;
  const text = await readTextModel(path);
  if (task === 'text-classification') checkLabels(text);
  const data = await readDataFile(given.data);
  const kind = answerKind(task, text.multiLabel);
  const metric = metricFor(task, kind, given.metric);
  const examples = textExamples(data, kind, text.labels);
  const prune = prunableParts(given, { models: 'encoders of text', parts: ENCODER_PARTS });
  const calibration = given.calibration === undefined ? [] : (await readDataFile(given.calibration)).examples;
  const { model, bytes } = await readOnnxFile(text.onnxPath);
  checkFloat(model, text.onnxPath, { static: false });
  const files = tokenizerFiles(text);
  const wanted = given.maxTokens ?? text.maxTokens;
  checkLength(text, wanted);
  const cutTo = (maxTokens: number): Subject => ({
    name: text.name,
    model,
    onnx: bytes,
    description: describeTextPackage(text, task, maxTokens),
    original: describeTextPackage(text, task, text.maxTokens),
    files,
    kind,
    metric,
    examples,
    examplesKey: '',
    pipeline: encoderPipeline({
      model,
      maxTokens,
      calibration: calibration.map((example) => example.text),
      sentences: examples.map((example) => example.text),
      prune,
    }),
    sizes: {},
    notes: [],
    offer: async () => {
      if (task === 'text-classification')
        return { config: { EXAMPLES: examplesToTry(examples) }, files: new Map() };
      const { queries, others } = sentencesToCompare(examples);
      return { config: { EXAMPLES: queries, OTHERS: others }, files: new Map() };
    },
  });
  const length = await textLength(text, task, files, [...examples, ...calibration]);
  const most = wanted === 'auto' ? text.maxTokens : wanted;
  return { ...cutTo(most), length: { ...length, wanted, cutTo } };
};

function checkLabels({ folder, labels }: TextModel): void {
  if (labels.length > 0) return;
  throw new UsageError(
    `${join(folder, 'config.json')} has no id2label.`,
    'text-classification needs the names of the labels: "id2label": { "0": "NEGATIVE", "1": "POSITIVE" }, say. For sentence embeddings use --task feature-extraction.',
  );
}

function checkLength({ maxTokens }: TextModel, wanted: number | 'auto'): void {
  if (wanted === 'auto' || wanted <= maxTokens) return;
  throw new UsageError(`--max-tokens ${wanted} is more than the model's own limit of ${maxTokens}.`);
}

/** Counts tokens as the package will, before it cuts. */
async function textLength(
  text: TextModel,
  task: TextTaskName,
  files: PackageFiles,
  inputs: readonly TextInput[],
): Promise<Pick<TextLength, 'lengths' | 'modelTokens' | 'textOf'>> {
  const description = describeTextPackage(text, task, UNCUT);
  const encode = await loadTokenizer(await originalPackage({ description, onnx: new Uint8Array(), files }));
  const count = (of: string, pair?: string): number => encode(of, pair).ids.length;
  // Sentence embeddings: each text of a pair is an input of its own.
  const lengths = inputs.flatMap(({ text: of, textPair }) =>
    task === 'feature-extraction' && textPair !== undefined
      ? [count(of), count(textPair)]
      : [count(of, textPair)],
  );
  const texts = inputs.map((each) => each.text);
  return { lengths, modelTokens: text.maxTokens, textOf: (tokens) => textOfTokens(texts, tokens, count) };
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
