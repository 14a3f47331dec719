import type { AudioInput } from '../format/index.ts';
import type { RawAudio } from '../audio/raw-audio.ts';
import { audioPreprocessor, type PreparedAudio } from '../audio/preprocess-audio.ts';

export type { RawAudio, RawAudio as AudioSource } from '../audio/raw-audio.ts';
export type { PreparedAudio } from '../audio/preprocess-audio.ts';

/** What an audio-classification task feeds the model for this clip. Throws `bad-input` for what is no sound. */
export function prepareAudio(audio: RawAudio, input: AudioInput): PreparedAudio {
  return audioPreprocessor(input)(audio);
}
