import type { AnswerKind, GoldExample, Metric, Model, PackageDescription } from '@edgewise/compiler';
import type { OptimizeOptions } from '../commands/optimize.ts';
import type { PackageFiles } from '../measure/package-files.ts';
import type { SiteParts } from '../site/site-files.ts';
import type { OpenSizes } from '../report/layer-costs.ts';
import type { Pipeline } from './pipeline.ts';

/** A model with the data that it is measured on, whatever the task. */
export interface Subject {
  readonly name: string;
  readonly model: Model;
  readonly onnx: Uint8Array;
  readonly description: PackageDescription;
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
  /** What of it was settled from the data, for people. */
  readonly notes: readonly string[];
  /** What the page offers to try: constants of page-config.js, and files. */
  readonly offer: () => Promise<Pick<SiteParts, 'config' | 'files'>>;
}

/** Reads a subject: `path` is the model's. */
export type ReadSubject<Task extends string> = (
  path: string,
  given: OptimizeOptions & { readonly task: Task },
) => Promise<Subject>;
