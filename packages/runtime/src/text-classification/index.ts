import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { SessionOptions } from '../session/session.ts';
import { checkTopK, rankLabels, type ClassifyOptions, type LabelScore } from '../tasks/label-scores.ts';
import { sigmoid, softmax } from '../tasks/scores.ts';
import { mapInputs, type TaskHandle } from '../tasks/task-handle.ts';
import { loadTextTask, type TextInput } from '../tasks/text-task.ts';

export type { ClassifyOptions, LabelScore } from '../tasks/label-scores.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'text-classification';

/** Best label first. One input gives one list, an array of inputs an array of lists. */
export interface TextClassifier extends TaskHandle {
  (input: TextInput, options?: ClassifyOptions): Promise<LabelScore[]>;
  (inputs: readonly TextInput[], options?: ClassifyOptions): Promise<LabelScore[][]>;
}

/**
 * Loads a text-classification package.
 *
 *     const classify = await load('/models/sentiment');
 *     const [best] = await classify('great film');
 */
export type LoadTextClassifier = (source: PackageSource, options?: SessionOptions) => Promise<TextClassifier>;

export function textClassifierLoader(platform: Platform): LoadTextClassifier {
  return async (source, options = {}) => {
    const { handle, run } = await loadTextTask(platform, TASK, source, options);
    const { labels = [], multiLabel = false } = handle.manifest;

    const classifyOne = async (input: TextInput, topK: number): Promise<LabelScore[]> => {
      const { data } = await run(input);
      if (data.length !== labels.length) {
        handle.dispose();
        throw new RuntimeError('bad-package', `${labels.length} labels for ${data.length} outputs`);
      }
      return rankLabels(labels, multiLabel ? sigmoid(data) : softmax(data), topK);
    };
    const classify = async (
      inputs: TextInput | readonly TextInput[],
      { topK = labels.length }: ClassifyOptions = {},
    ): Promise<LabelScore[] | LabelScore[][]> => {
      checkTopK(topK);
      return mapInputs(inputs, (input) => classifyOne(input, topK));
    };
    return Object.assign(classify as TextClassifier, handle);
  };
}
