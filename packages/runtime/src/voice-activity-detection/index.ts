import { loadAudioTask, type ReadAudio } from '../audio/audio-task.ts';
import { checkRate, toMono } from '../audio/raw-audio.ts';
import { concat } from '../audio/resampler.ts';
import type { AudioManifest } from '../format/index.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Session, SessionOptions } from '../session/session.ts';
import { onlyInput } from '../tasks/only-input.ts';
import { mapInputs, type TaskHandle } from '../tasks/task-handle.ts';
import { findSegments, type SegmentOptions, type SpeechSegment } from './segments.ts';
import { ModelStream, type VoiceStream } from './voice-stream.ts';

export type { SegmentOptions, SpeechSegment } from './segments.ts';
export type { VoiceStream } from './voice-stream.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'voice-activity-detection';

const THRESHOLD = 0.5;
const DEFAULTS = { minSpeechSeconds: 0.25, minSilenceSeconds: 0.1, padSeconds: 0.03 } as const;

export interface StreamOptions {
  /** Samples per second of what will be pushed. Default: the model's own rate. */
  readonly sampleRate?: number;
}

/** Speech in whole clips, and in sound as it arrives. */
export interface VoiceActivityDetector<Audio> extends TaskHandle {
  /** Where there is speech, in order. One clip gives one list, an array of clips an array of lists. */
  (clip: Audio, options?: SegmentOptions): Promise<SpeechSegment[]>;
  (clips: readonly Audio[], options?: SegmentOptions): Promise<SpeechSegment[][]>;
  /** The probability of speech, 0…1, of each chunk of a clip; the last chunk is filled up with silence. */
  probabilities(clip: Audio): Promise<Float32Array>;
  /** Starts a stream; there can be several at a time. */
  stream(options?: StreamOptions): VoiceStream;
}

/**
 * Loads a voice-activity-detection package.
 *
 *     const detect = await load('/models/vad');
 *     for (const { start, end } of await detect({ samples, sampleRate: 48_000 })) cut(start, end);
 *
 *     const stream = detect.stream({ sampleRate: 48_000 });
 *     for (const probability of await stream.push(samples)) show(probability);
 */
export type LoadVoiceActivityDetector<Audio> = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<VoiceActivityDetector<Audio>>;

export function voiceActivityDetectorLoader<Audio>(
  platform: Platform,
  readAudio: ReadAudio<Audio>,
): LoadVoiceActivityDetector<Audio> {
  return async (source, options = {}) => {
    const { handle, manifest } = await loadAudioTask(platform, TASK, source, options);
    const { session } = handle;
    const input = soundInput(session, manifest);
    const { threshold = THRESHOLD, audio } = manifest;
    const streamAt = (sampleRate: number): ModelStream =>
      new ModelStream(session, manifest, input, sampleRate);

    const listen = async (
      clip: Audio,
    ): Promise<{ probabilities: Float32Array; seconds: number; chunkSeconds: number }> => {
      const raw = readAudio(clip);
      const samples = toMono(raw);
      const stream = streamAt(raw.sampleRate);
      const pushed = await stream.push(samples);
      const rest = await stream.finish();
      const seconds = samples.length / raw.sampleRate;
      return {
        probabilities: concat(pushed, rest),
        seconds,
        chunkSeconds: stream.chunkSeconds,
      };
    };
    const detectOne = async (clip: Audio, given: Required<SegmentOptions>): Promise<SpeechSegment[]> => {
      const { probabilities, seconds, chunkSeconds } = await listen(clip);
      return findSegments(probabilities, chunkSeconds, seconds, given);
    };
    const detect = async (
      clips: Audio | readonly Audio[],
      given: SegmentOptions = {},
    ): Promise<SpeechSegment[] | SpeechSegment[][]> => {
      const all = { threshold, ...DEFAULTS, ...given };
      checkOptions(all);
      return mapInputs(clips, (clip) => detectOne(clip, all));
    };
    return Object.assign(detect as VoiceActivityDetector<Audio>, handle, {
      probabilities: async (clip: Audio) => (await listen(clip)).probabilities,
      stream: ({ sampleRate = audio.sampleRate }: StreamOptions = {}): VoiceStream => {
        checkRate(sampleRate);
        return streamAt(sampleRate);
      },
    });
  };
}

/** Name of the input that is no state; refuses states that the model does not have. */
function soundInput(session: Session, { streaming }: AudioManifest): string {
  const states = (streaming?.states ?? []).map(({ input }) => input);
  const unknown = states.find((state) => !session.inputs.some(({ name }) => name === state));
  if (unknown !== undefined) {
    session.dispose();
    throw new RuntimeError('bad-package', `streaming.states: the model has no input "${unknown}"`);
  }
  return onlyInput(session, 'a voice activity', states).name;
}

function checkOptions({ threshold, ...seconds }: Required<SegmentOptions>): void {
  if (!(threshold > 0 && threshold < 1)) {
    throw new RuntimeError('bad-option', `threshold must be a number between 0 and 1, not ${threshold}`);
  }
  for (const [name, value] of Object.entries(seconds)) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new RuntimeError('bad-option', `${name} must be a number from 0, not ${value}`);
  }
}
