import { nodePlatform } from './platform.ts';
import type { RawAudio } from '../audio/raw-audio.ts';
import { audioClassifierLoader, type LoadAudioClassifier } from '../audio-classification/index.ts';

export type { RawAudio, RawAudio as AudioSource } from '../audio/raw-audio.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../audio-classification/index.ts';
export type { AudioClassifier, LoadAudioClassifier } from '../audio-classification/index.ts';
export type { ClassifyOptions, LabelScore } from '../tasks/label-scores.ts';
export const load: LoadAudioClassifier<RawAudio> = audioClassifierLoader(nodePlatform, (audio) => audio);
