import { browserPlatform } from '../browser/platform.ts';
import { textClassifierLoader, type LoadTextClassifier } from '../text-classification/index.ts';

export { RuntimeError } from '../runtime-error.ts';
export type { TextInput } from '../tasks/text-task.ts';
export { TASK } from '../text-classification/index.ts';
export type {
  ClassifyOptions,
  LabelScore,
  LoadTextClassifier,
  TextClassifier,
} from '../text-classification/index.ts';
export const load: LoadTextClassifier = textClassifierLoader(browserPlatform);
