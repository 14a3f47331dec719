import type { AnswerKind, GoldExample, Metric, Model, PackageDescription } from '@edgewise/compiler';
import type { OptimizeOptions } from '../../commands/optimize.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import type { SiteParts } from '../../site/site-files.ts';
import type { OpenSizes } from '../../report/layer-costs.ts';
import type { Pipeline } from '../pipelines/pipeline.ts';

/** A model with the data that it is measured on, whatever the task. */
export interface Subject {
  readonly name: string;
  readonly model: Model;
  readonly onnx: Uint8Array;
  readonly description: PackageDescription;
  /** Of candidate 0 where that differs: it cuts texts at the model's own limit alone, so that drops tell what cutting costs. */
  readonly original?: PackageDescription;
  /** What a package has beside its model. */
  readonly files: PackageFiles;
  readonly kind: AnswerKind;
  readonly metric: Metric;
  readonly examples: readonly GoldExample[];
  /** Changes when what the examples name changes: image files. */
  readonly examplesKey: string;
  readonly pipeline: Pipeline;
  /** What the costs of layers are counted for. */
  readonly sizes: OpenSizes;
  /** Of texts: what the longest input is settled by; `pipeline` and `description` have the most there may be until then. */
  readonly length?: TextLength;
  /** What of it was settled from the data, for people. */
  readonly notes: readonly string[];
  /** What the page offers to try: constants of page-config.js, and files. */
  readonly offer: () => Promise<Pick<SiteParts, 'config' | 'files'>>;
}

/** What the longest input of a model of texts is settled by. */
export interface TextLength {
  /** Tokens of each text of data and calibration, special ones included, uncut. */
  readonly lengths: readonly number[];
  /** The model's own limit. */
  readonly modelTokens: number;
  /** The limit that was asked for; `auto`: one that the lengths and the latency limits call for. */
  readonly wanted: number | 'auto';
  /** A text of the data's words with exactly so many tokens; undefined where none was found. */
  readonly textOf: (tokens: number) => string | undefined;
  /** The subject with inputs of at most so many tokens. */
  readonly cutTo: (maxTokens: number) => Subject;
}

/** Reads a subject: `path` is the model's. */
export type ReadSubject<Task extends string> = (
  path: string,
  given: OptimizeOptions & { readonly task: Task },
) => Promise<Subject>;
