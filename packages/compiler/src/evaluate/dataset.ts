import type { DetectedBox, GoldBox } from './detection.ts';
import type { RunnerInput, TextInput } from './runner.ts';

/** One example as a data file holds it. */
export type Example<Input extends RunnerInput = TextInput> = Input & {
  /** Class name or index, as written; '' for an empty cell. A list where the file has one (JSONL). */
  readonly label?: string | readonly string[];
  /** Gold similarity or regression value. */
  readonly score?: number;
  /** Line of the file, counted from 1; left out where a folder's name is the label. */
  readonly line?: number;
};

export interface Dataset<Input extends RunnerInput = TextInput> {
  /** File name as the user gave it. */
  readonly name: string;
  readonly examples: readonly Example<Input>[];
}

/**
 * What a model says about an example: `class`, one of several labels; `ranking`, the labels by their probability;
 * `labels`, any number of them, each by itself; `score`, a similarity or regression value; `boxes`, where objects are.
 */
export type AnswerKind = 'class' | 'ranking' | 'labels' | 'score' | 'boxes';

/**
 * The class's index, the score; the indices of the most probable labels, best first, or of all labels that hold, ascending;
 * boxes. The gold of a ranking is the index of the right label.
 */
export type Answer = number | readonly number[] | BoxesAnswer;

export interface BoxesAnswer {
  readonly boxes: readonly (DetectedBox | GoldBox)[];
}

/** An example with the answer its prediction is compared with. */
export type GoldExample<Gold extends Answer = Answer, Input extends RunnerInput = RunnerInput> = Input & {
  readonly gold: Gold;
};
