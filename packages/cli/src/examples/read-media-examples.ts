import { readBoxExamples } from './read-box-examples.ts';
import { readCalibrationFiles } from './read-calibration-files.ts';
import { readFileExamples, type FileExample, type ReadFileExamplesOptions } from './read-file-examples.ts';

/** Reads labelled images or sounds in the form that the kind of answer has: boxes, or labels and scores. */
export async function readMediaExamples(
  path: string,
  options: ReadFileExamplesOptions,
): Promise<readonly FileExample[]> {
  return options.kind === 'boxes' ? readBoxExamples(path, options.labels) : readFileExamples(path, options);
}

/** What --data and --calibration of a model of images or sounds name. */
export interface MediaData {
  readonly examples: readonly FileExample[];
  /** Of the examples. */
  readonly files: readonly string[];
  /** Files without labels; none unless --calibration is given. */
  readonly calibration: readonly string[];
}

/** Reads both. Throws what their readers throw. */
export async function readMediaData(
  given: { readonly data: string; readonly calibration?: string | undefined },
  options: ReadFileExamplesOptions,
): Promise<MediaData> {
  const examples = await readMediaExamples(given.data, options);
  const { calibration } = given;
  return {
    examples,
    files: examples.flatMap(({ file, filePair }) => (filePair === undefined ? [file] : [file, filePair])),
    calibration: calibration === undefined ? [] : await readCalibrationFiles(calibration, options.media),
  };
}
