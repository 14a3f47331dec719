import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { SessionOptions } from '../session/session.ts';
import { loadTextTask, mapInputs, type TaskHandle, type TextInput } from '../tasks/text-task.ts';
import { sigmoid, softmax } from './scores.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'text-classification';

export interface LabelScore {
  readonly label: string;
  /** Probability in [0, 1]; over all labels they sum to 1 unless the package is multi-label. */
  readonly score: number;
}

export interface ClassifyOptions {
  /** How many labels to return. Default all. */
  readonly topK?: number;
}

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
      const scores = multiLabel ? sigmoid(data) : softmax(data);
      const ranked = labels.map((label, index) => ({ label, score: scores[index] ?? 0 }));
      return ranked.sort((a, b) => b.score - a.score).slice(0, topK);
    };
    const classify = (
      inputs: TextInput | readonly TextInput[],
      { topK = labels.length }: ClassifyOptions = {},
    ): Promise<LabelScore[] | LabelScore[][]> => {
      if (!Number.isInteger(topK) || topK < 1) {
        return Promise.reject(
          new RuntimeError('bad-option', `topK must be a whole number from 1, not ${topK}`),
        );
      }
      return mapInputs(inputs, (input) => classifyOne(input, topK));
    };
    return Object.assign(classify as TextClassifier, handle);
  };
}
