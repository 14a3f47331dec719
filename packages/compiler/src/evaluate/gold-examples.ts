import { CompilerError } from '../diagnostics/index.ts';
import type { Dataset, Example, GoldExample } from './dataset.ts';

/**
 * The examples with their class index as gold. A label is an index into `labels`, or one of the names (case ignored
 * when no name matches exactly).
 * @param labels class names by index, as in the model's id2label
 * @throws CompilerError `bad-file` at the first example without a label or with an unknown one.
 */
export function classExamples(dataset: Dataset, labels: readonly string[]): readonly GoldExample[] {
  const lower = labels.map((name) => name.toLowerCase());
  return dataset.examples.map((example) => {
    if (example.label === undefined) throw missing(dataset, example, 'label', 'label');
    const exact = labels.indexOf(example.label);
    const index = exact >= 0 ? exact : lower.indexOf(example.label.toLowerCase());
    if (index >= 0) return withGold(example, index);
    if (/^\d+$/.test(example.label) && Number(example.label) < labels.length)
      return withGold(example, Number(example.label));
    throw new CompilerError(
      'bad-file',
      `${dataset.name}:${example.line}: the model has no label '${example.label}'.`,
      {
        at: { file: dataset.name },
        hint: `Its labels are ${labels.map((name, i) => `${i} ${name}`).join(', ')}.`,
      },
    );
  });
}

/** The examples with their score as gold, for similarity and regression. */
export function scoreExamples(dataset: Dataset): readonly GoldExample[] {
  return dataset.examples.map((example) => {
    if (example.score === undefined) throw missing(dataset, example, 'score', 'score');
    return withGold(example, example.score);
  });
}

function withGold({ text, textPair }: Example, gold: number): GoldExample {
  return textPair === undefined ? { text, gold } : { text, textPair, gold };
}

function missing(dataset: Dataset, example: Example, what: string, column: string): CompilerError {
  return new CompilerError('bad-file', `${dataset.name}:${example.line}: the example has no ${what}.`, {
    at: { file: dataset.name },
    hint: `Evaluation needs a '${column}' column.`,
  });
}
