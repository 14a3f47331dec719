import { browserPlatform } from '../browser/platform.ts';
import { readBrowserAudio, type AudioSource } from '../audio/browser-audio.ts';
import { audioClassifierLoader, type LoadAudioClassifier } from '../audio-classification/index.ts';

export type { AudioSource } from '../audio/browser-audio.ts';
export type { RawAudio } from '../audio/raw-audio.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../audio-classification/index.ts';
export type { AudioClassifier, LoadAudioClassifier } from '../audio-classification/index.ts';
export type { ClassifyOptions, LabelScore } from '../tasks/label-scores.ts';
export const load: LoadAudioClassifier<AudioSource> = audioClassifierLoader(
  browserPlatform,
  readBrowserAudio,
);
