import { join } from 'node:path';
import { buildPackage, chooseMaxTokens, type PackageDescription, type TextInput } from '@edgewise/compiler';
import { loadTokenizer } from '@edgewise/runtime/tokenizer';
import { ENCODER_PARTS } from '../command/prunable-names.ts';
import type { TaskTaking } from '../command/task-names.ts';
import { UsageError } from '../command/usage-error.ts';
import { answerKind, metricFor } from '../examples/answer-kind.ts';
import { readDataFile, textExamples } from '../examples/read-text-examples.ts';
import { sha256 } from '../files/hash.ts';
import { checkFloat } from '../model/check-float.ts';
import { readOnnxFile } from '../files/read-onnx-file.ts';
import { readTextModel, type TextModel } from '../model/read-text-model.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import { formatPercent } from '../terminal/format.ts';
import { encoderPipeline } from './encoder-pipeline.ts';
import { examplesToTry } from './examples-to-try.ts';
import { prunableParts } from './prunable-parts.ts';
import { sentencesToCompare } from './sentences-to-compare.ts';
import type { ReadSubject } from './subject.ts';

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
  const texts = [...examples, ...calibration];
  const { maxTokens, notes } =
    given.maxTokens === 'auto'
      ? await longestText(text, files, texts)
      : { maxTokens: longestInput(text, given.maxTokens), notes: [] };
  return {
    name: text.name,
    model,
    onnx: bytes,
    description: describeTextPackage(text, task, maxTokens),
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
    notes,
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

/** What leaves nearly all of the texts uncut. */
async function longestText(
  text: TextModel,
  files: PackageFiles,
  texts: readonly Pick<TextInput, 'text' | 'textPair'>[],
): Promise<{ readonly maxTokens: number; readonly notes: readonly string[] }> {
  const uncut = describeTextPackage(text, 'feature-extraction', UNCUT);
  const encode = await loadTokenizer(
    await buildPackage({
      description: uncut,
      model: { kind: 'onnx', file: 'model.onnx' },
      files: new Map([['model.onnx', new Uint8Array()], ...files]),
      sha256,
    }),
  );
  const lengths = texts.map((each) => encode(each.text, each.textPair).ids.length);
  const { maxTokens, truncated } = chooseMaxTokens({ lengths, limit: text.maxTokens });
  return {
    maxTokens,
    notes: [
      `Inputs have at most ${maxTokens} of the model's ${text.maxTokens} tokens: ${formatPercent(truncated)} of the ${texts.length} texts are cut.`,
    ],
  };
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
