import { RuntimeError } from '../runtime-error.ts';
import type { RawAudio } from './raw-audio.ts';

/** What a page may hand over as sound. `AudioContext.decodeAudioData` makes an `AudioBuffer` of a file. */
export type AudioSource = RawAudio | AudioBuffer;

/** The samples of a sound. */
export function readBrowserAudio(audio: AudioSource): RawAudio {
  if (Object(audio) !== audio) {
    throw new RuntimeError(
      'bad-input',
      'this is no sound: pass an AudioBuffer, or samples and their sampleRate',
    );
  }
  if (!('getChannelData' in audio)) return audio;
  const { numberOfChannels, sampleRate } = audio;
  const samples = Array.from({ length: numberOfChannels }, (_, index) => audio.getChannelData(index));
  return { samples, sampleRate };
}
