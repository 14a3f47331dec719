import type { DetectedBox } from './detection.ts';

/** What a runner is given for one example. */
export type RunnerInput = TextInput | FileInput;

export interface TextInput {
  readonly text: string;
  readonly textPair?: string;
}

/** An image or a sound, or a pair of them. */
export interface FileInput {
  /** Path. */
  readonly file: string;
  readonly filePair?: string;
}

export interface RunnerOutput {
  /**
   * Class scores by index (logits or probabilities), each label's own probability, or one similarity or regression value.
   * Empty for detectors.
   */
  readonly scores: readonly number[];
  /** What a detector found, in pixels of the image. */
  readonly boxes?: readonly DetectedBox[];
  /** From text, decoded pixels or samples to the answer, tokenizing, resizing or the spectrum included, measured where the model runs. */
  readonly latencyMs: number;
}

/** A thing that runs a candidate and is measured: our engine in Node or Chromium, onnxruntime. */
export interface Runner<Artifact> {
  /** Shown in reports, e.g. `edgewise (node)`. */
  readonly name: string;
  readonly open: (artifact: Artifact, options: RunnerOpenOptions) => Promise<RunnerSession>;
}

export interface RunnerOpenOptions {
  /** The first thing run; its time is the session's `firstMs`. */
  readonly first: RunnerInput;
  readonly signal?: AbortSignal;
}

export interface RunnerSession {
  /** From nothing loaded to ready for the first input. */
  readonly loadMs: number;
  /** The first run after loading. */
  readonly firstMs: number;
  /** Runs one after the other, in order. */
  readonly run: (inputs: readonly RunnerInput[]) => Promise<readonly RunnerOutput[]>;
  /** Most memory so far, in bytes, over what the process or page takes without the model. */
  readonly peakMemoryBytes: () => Promise<number>;
  readonly close: () => Promise<void>;
}
