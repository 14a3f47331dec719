import { browserPlatform } from '../browser/platform.ts';
import { readBrowserAudio, type AudioSource } from '../audio/browser-audio.ts';
import {
  voiceActivityDetectorLoader,
  type LoadVoiceActivityDetector,
} from '../voice-activity-detection/index.ts';

export type { AudioSource } from '../audio/browser-audio.ts';
export type { RawAudio } from '../audio/raw-audio.ts';
export { RuntimeError } from '../runtime-error.ts';
export { TASK } from '../voice-activity-detection/index.ts';
export type {
  LoadVoiceActivityDetector,
  SegmentOptions,
  SpeechSegment,
  StreamOptions,
  VoiceActivityDetector,
  VoiceStream,
} from '../voice-activity-detection/index.ts';
export const load: LoadVoiceActivityDetector<AudioSource> = voiceActivityDetectorLoader(
  browserPlatform,
  readBrowserAudio,
);
