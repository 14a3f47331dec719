import type { AudioInput } from '../format/index.ts';
import { readBrowserAudio, type AudioSource } from '../audio/browser-audio.ts';
import { audioPreprocessor, type PreparedAudio } from '../audio/preprocess-audio.ts';

export type { AudioSource } from '../audio/browser-audio.ts';
export type { RawAudio } from '../audio/raw-audio.ts';
export type { PreparedAudio } from '../audio/preprocess-audio.ts';

/** What an audio-classification task feeds the model for this clip. Throws `bad-input` for what is no sound. */
export function prepareAudio(audio: AudioSource, input: AudioInput): PreparedAudio {
  return audioPreprocessor(input)(readBrowserAudio(audio));
}
