import { CompilerError } from '../diagnostics/index.ts';
import type { Answer, Dataset, Example, GoldExample } from './dataset.ts';
import type { RunnerInput } from './runner.ts';

type AnyDataset = Pick<Dataset, 'name'>;
type AnyExample = Pick<Example, 'label' | 'line'>;

/** Labels that a message lists. */
const LABELS_LISTED = 20;

/** What separates labels in one cell of a table. */
const SEPARATORS = /[,;|]/;

/**
 * The examples with their class index as gold. A label is an index into `labels`, or one of the names (case ignored
 * when no name matches exactly).
 * @param labels class names by index, as in the model's id2label
 * @throws CompilerError `bad-file` at the first example with no label, several, or an unknown one.
 */
export function classExamples<Input extends RunnerInput>(
  dataset: Dataset<Input>,
  labels: readonly string[],
): readonly GoldExample<number, Input>[] {
  return dataset.examples.map((example) => {
    const { label = '' } = example;
    if (label === '' || label.length === 0) throw missing(dataset, example, 'label', 'label');
    const [first, ...others] = findLabels(dataset, example, labels);
    if (first === undefined || others.length > 0) throw several(dataset, example);
    return withGold(example, first);
  });
}

/**
 * The examples with the indices of all their labels as gold, for models that give each label by itself. A cell holds
 * names or indices separated by commas, semicolons or bars, a list in JSONL the same one by one; an empty one: no label holds.
 * @param labels label names by index, as in the model's id2label
 * @throws CompilerError `bad-file` at the first example without a label column, with an unknown label or with one twice.
 */
export function labelExamples<Input extends RunnerInput>(
  dataset: Dataset<Input>,
  labels: readonly string[],
): readonly GoldExample<readonly number[], Input>[] {
  return dataset.examples.map((example) => {
    if (example.label === undefined) throw missing(dataset, example, 'labels', 'labels');
    const found = findLabels(dataset, example, labels);
    const twice = found.find((label, i) => found.indexOf(label) !== i);
    if (twice !== undefined) throw repeated(dataset, example, `${twice} ${labels[twice] ?? ''}`);
    return withGold(
      example,
      found.toSorted((a, b) => a - b),
    );
  });
}

/** The examples with their score as gold, for similarity and regression. */
export function scoreExamples<Input extends RunnerInput>(
  dataset: Dataset<Input>,
): readonly GoldExample<number, Input>[] {
  return dataset.examples.map((example) => {
    if (example.score === undefined) throw missing(dataset, example, 'score', 'score');
    return withGold(example, example.score);
  });
}

/** Indices of what the example names, in its order. */
function findLabels(dataset: AnyDataset, example: AnyExample, labels: readonly string[]): readonly number[] {
  return spelledLabels(example, labels).map((name) => {
    const index = indexOfLabel(name, labels);
    if (index !== undefined) return index;
    throw problem(dataset, example, `the model has no label '${name}'`, `Its labels are ${listed(labels)}.`);
  });
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, LABELS_LISTED).map((each, i) => `${i} ${each}`);
  return [...shown, ...(labels.length > LABELS_LISTED ? [`… (${labels.length} in all)`] : [])].join(', ');
}

function spelledLabels({ label = '' }: AnyExample, labels: readonly string[]): readonly string[] {
  if (typeof label !== 'string') return label;
  // A name may hold a separator itself.
  if (indexOfLabel(label, labels) !== undefined || !SEPARATORS.test(label))
    return label === '' ? [] : [label];
  return label
    .split(SEPARATORS)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function indexOfLabel(name: string, labels: readonly string[]): number | undefined {
  const exact = labels.indexOf(name);
  const index = exact >= 0 ? exact : labels.findIndex((each) => each.toLowerCase() === name.toLowerCase());
  if (index >= 0) return index;
  return /^\d+$/.test(name) && Number(name) < labels.length ? Number(name) : undefined;
}

function withGold<Gold extends Answer, Input extends RunnerInput>(
  { label: _label, score: _score, line: _line, ...input }: Example<Input>,
  gold: Gold,
): GoldExample<Gold, Input> {
  return { ...(input as unknown as Input), gold };
}

function missing(dataset: AnyDataset, example: AnyExample, what: string, column: string): CompilerError {
  return problem(dataset, example, `the example has no ${what}`, `Evaluation needs a '${column}' column.`);
}

function several(dataset: AnyDataset, example: AnyExample): CompilerError {
  return problem(
    dataset,
    example,
    'the example has several labels, the model gives one',
    `The config.json of a model that gives each label by itself says "problem_type": "multi_label_classification".`,
  );
}

function repeated(dataset: AnyDataset, example: AnyExample, label: string): CompilerError {
  return problem(
    dataset,
    example,
    `the label ${label} is there twice`,
    'A list has the names or numbers of the labels that hold, not a 0 or 1 for each.',
  );
}

function problem(dataset: AnyDataset, { line }: AnyExample, what: string, hint: string): CompilerError {
  const at = { file: dataset.name };
  const place = line === undefined ? dataset.name : `${dataset.name}:${line}`;
  return new CompilerError('bad-file', `${place}: ${what}.`, { at, hint });
}
