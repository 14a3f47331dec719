/** One example as a data file holds it. */
export interface Example {
  readonly text: string;
  /** Second sentence of a pair. */
  readonly textPair?: string;
  /** Class name or index, as written; '' for an empty cell. A list where the file has one (JSONL). */
  readonly label?: string | readonly string[];
  /** Gold similarity or regression value. */
  readonly score?: number;
  /** Line of the file, counted from 1. */
  readonly line: number;
}

export interface Dataset {
  /** File name as the user gave it. */
  readonly name: string;
  readonly examples: readonly Example[];
}

/**
 * What a model says about an example: `class`, one of several labels; `labels`, any number of them, each by itself;
 * `score`, a similarity or regression value.
 */
export type AnswerKind = 'class' | 'labels' | 'score';

/** The class's index, the score, or the indices of all labels that hold, ascending. */
export type Answer = number | readonly number[];

/** An example with the answer its prediction is compared with. */
export interface GoldExample<Gold extends Answer = Answer> {
  readonly text: string;
  readonly textPair?: string;
  readonly gold: Gold;
}
