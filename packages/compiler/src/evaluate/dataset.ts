/** One example as a data file holds it. */
export interface Example {
  readonly text: string;
  /** Second sentence of a pair. */
  readonly textPair?: string;
  /** Class name or index, as written. */
  readonly label?: string;
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

/** An example with the number its prediction is compared with: the class index, or the gold score. */
export interface GoldExample {
  readonly text: string;
  readonly textPair?: string;
  readonly gold: number;
}
