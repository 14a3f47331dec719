import {
  classExamples,
  labelExamples,
  readDataset,
  scoreExamples,
  type AnswerKind,
  type Dataset,
  type GoldExample,
  type TextInput,
} from '@edgewise/compiler';
import { readInput } from '../files/read-input.ts';

export type TextExample = GoldExample<number | readonly number[], TextInput>;

/** Reads a data file of texts; errors name the file and the line. */
export async function readDataFile(path: string): Promise<Dataset> {
  return readDataset(await readInput(path), { file: path });
}

/** The examples with what predictions are compared with. */
export function textExamples(
  dataset: Dataset,
  kind: AnswerKind,
  labels: readonly string[] = [],
): readonly TextExample[] {
  if (kind === 'score') return scoreExamples(dataset);
  return kind === 'labels' ? labelExamples(dataset, labels) : classExamples(dataset, labels);
}
