import { nodePlatform } from './platform.ts';
import { featureExtractorLoader, type LoadFeatureExtractor } from '../feature-extraction/index.ts';

export { TASK } from '../feature-extraction/index.ts';
export type { FeatureExtractor, LoadFeatureExtractor } from '../feature-extraction/index.ts';
export { RuntimeError } from '../runtime-error.ts';
export type { TextInput } from '../tasks/text-task.ts';
export const load: LoadFeatureExtractor = featureExtractorLoader(nodePlatform);
