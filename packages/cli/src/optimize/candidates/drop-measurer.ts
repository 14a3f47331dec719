import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  estimateDrop,
  predictExamples,
  type Answer,
  type AnswerKind,
  type GoldExample,
  type Metric,
} from '@edgewise/compiler';
import { nodeRunner } from '../../measure/node-runner.ts';
import type { PackageFiles } from '../../measure/package-files.ts';
import { writePackage } from './write-package.ts';

const RUNNER = nodeRunner('edgewise (Node)');

export interface DropMeasurerOptions {
  /** Makes the package that others are compared with. */
  readonly float: () => Promise<PackageFiles>;
  readonly examples: readonly GoldExample[];
  readonly kind: AnswerKind;
  readonly metric: Metric;
  /** Empty folder for packages while they run. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

/** What a package loses of the metric against the float one, 0 … 1. */
export type DropOf = (files: PackageFiles) => Promise<number>;

/** Runs each package on all examples in a Node process: answers are the same in a browser, and nothing is timed. */
export function dropMeasurer({ float, temporary, metric, ...options }: DropMeasurerOptions): DropOf {
  const golds = options.examples.map(({ gold }) => gold);
  const answersOf = async (files: PackageFiles): Promise<readonly Answer[]> => {
    const artifact = join(temporary, 'untimed');
    await writePackage(artifact, files);
    const answers = await predictExamples({ ...options, artifact, runner: RUNNER });
    await rm(artifact, { recursive: true });
    return answers;
  };
  let baseline: readonly Answer[] | undefined;
  return async (files) => {
    baseline ??= await answersOf(await float());
    return estimateDrop(metric, baseline, await answersOf(files), golds).value;
  };
}
