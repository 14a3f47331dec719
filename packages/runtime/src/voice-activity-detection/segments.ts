/** A stretch of speech, in seconds from the start of the clip. */
export interface SpeechSegment {
  readonly start: number;
  readonly end: number;
}

export interface SegmentOptions {
  /** Probability from which speech begins, between 0 and 1; it goes on until 0.15 below that. Default: the package's. */
  readonly threshold?: number;
  /** Shorter speech is dropped. Default 0.25. */
  readonly minSpeechSeconds?: number;
  /** Shorter silence does not end speech. Default 0.1. */
  readonly minSilenceSeconds?: number;
  /** Added on both sides of a segment, at most half of the silence between two. Default 0.03. */
  readonly padSeconds?: number;
}

/** How far below the threshold speech still goes on, and the least that limit can be. */
const HYSTERESIS = 0.15;
const LEAST_EXIT = 0.01;

/**
 * Speech in a clip of `duration` seconds by the probabilities of its chunks: the rules and defaults of Silero VAD's
 * `get_speech_timestamps`, without its longest segment.
 */
export function findSegments(
  probabilities: ArrayLike<number>,
  chunkSeconds: number,
  duration: number,
  options: Required<SegmentOptions>,
): SpeechSegment[] {
  const { threshold, minSpeechSeconds, minSilenceSeconds, padSeconds } = options;
  const exit = Math.max(threshold - HYSTERESIS, LEAST_EXIT);
  const found: SpeechSegment[] = [];
  // Chunks, where speech and the silence after it began.
  let start: number | undefined;
  let silence: number | undefined;
  const close = (end: number): void => {
    const from = (start as number) * chunkSeconds;
    if (end - from > minSpeechSeconds) found.push({ start: from, end });
    start = silence = undefined;
  };
  for (let chunk = 0; chunk < probabilities.length; chunk++) {
    const probability = probabilities[chunk] as number;
    if (probability >= threshold) {
      silence = undefined;
      start ??= chunk;
    } else if (probability < exit && start !== undefined) {
      silence ??= chunk;
      if ((chunk - silence) * chunkSeconds >= minSilenceSeconds) close(silence * chunkSeconds);
    }
  }
  if (start !== undefined) close(duration);
  return pad(found, padSeconds, duration);
}

function pad(segments: readonly SpeechSegment[], seconds: number, duration: number): SpeechSegment[] {
  return segments.map(({ start, end }, index) => {
    const before = index === 0 ? start : (start - (segments[index - 1] as SpeechSegment).end) / 2;
    const after =
      index === segments.length - 1
        ? duration - end
        : ((segments[index + 1] as SpeechSegment).start - end) / 2;
    return { start: start - Math.min(seconds, before), end: end + Math.min(seconds, after) };
  });
}
