import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import type { SessionOptions } from '../session/session.ts';
import { mapInputs, type TaskHandle } from '../tasks/task-handle.ts';
import { loadTextTask, type TextInput } from '../tasks/text-task.ts';
import { normalizeInPlace, pool } from './pooling.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'feature-extraction';

/** One vector per input, pooled and normalized as the package says. */
export interface FeatureExtractor extends TaskHandle {
  (input: TextInput): Promise<Float32Array>;
  (inputs: readonly TextInput[]): Promise<Float32Array[]>;
}

/**
 * Loads a feature-extraction package.
 *
 *     const embed = await load('/models/minilm');
 *     const [a, b] = await embed(['a cat', 'a kitten']);
 */
export type LoadFeatureExtractor = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<FeatureExtractor>;

export function featureExtractorLoader(platform: Platform): LoadFeatureExtractor {
  return async (source, options = {}) => {
    const { handle, run } = await loadTextTask(platform, TASK, source, options);
    const { pooling = 'mean', normalize = false } = handle.manifest;
    const extractOne = async (input: TextInput): Promise<Float32Array> => {
      const vector = pool(await run(input), pooling);
      return normalize ? normalizeInPlace(vector) : vector;
    };
    const extract = (inputs: TextInput | readonly TextInput[]): Promise<Float32Array | Float32Array[]> =>
      mapInputs(inputs, extractOne);
    return Object.assign(extract as FeatureExtractor, handle);
  };
}
