import { nodePlatform } from './platform.ts';
import type { RawAudio } from '../audio/raw-audio.ts';
import {
  voiceActivityDetectorLoader,
  type LoadVoiceActivityDetector,
} from '../voice-activity-detection/index.ts';

export type { RawAudio, RawAudio as AudioSource } from '../audio/raw-audio.ts';
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
export const load: LoadVoiceActivityDetector<RawAudio> = voiceActivityDetectorLoader(
  nodePlatform,
  (audio) => audio,
);
