import { describe, expect, it } from 'vitest';
import { findSegments } from './segments.ts';

const OPTIONS = { threshold: 0.5, minSpeechSeconds: 0.2, minSilenceSeconds: 0.1, padSeconds: 0 };

/** Probabilities of chunks of 50 ms: `#` speech, `-` neither, `.` silence. */
const chunks = (text: string): number[] => Array.from(text, (c) => ({ '#': 0.9, '-': 0.4, '.': 0.1 })[c]!);
const segments = (text: string, changes: Partial<typeof OPTIONS> = {}): unknown =>
  findSegments(chunks(text), 0.05, text.length * 0.05, { ...OPTIONS, ...changes }).map(
    ({ start, end }) => `${start.toFixed(3)}-${end.toFixed(3)}`,
  );

describe('findSegments', () => {
  it('begins at the threshold and ends after enough silence, where that began', () => {
    expect(segments('..######....')).toEqual(['0.100-0.400']);
    expect(segments('......')).toEqual([]);
    expect(segments('')).toEqual([]);
  });

  it('goes on while the probability is little below the threshold', () => {
    expect(segments('######-----####...')).toEqual(['0.000-0.750']);
    expect(segments('----------')).toEqual([]);
  });

  it('bridges silence that is too short', () => {
    expect(segments('#####..#####.....')).toEqual(['0.000-0.600']);
    expect(segments('#####...#####....')).toEqual(['0.000-0.250', '0.400-0.650']);
  });

  it('drops speech that is too short, also at the end', () => {
    expect(segments('.###....#####...')).toEqual(['0.400-0.650']);
    expect(segments('........###')).toEqual([]);
    expect(segments('........######')).toEqual(['0.400-0.700']);
  });

  it('pads, sharing short gaps and staying inside the clip', () => {
    expect(segments('#####...#####...', { padSeconds: 0.06 })).toEqual(['0.000-0.310', '0.340-0.710']);
    expect(segments('#####...#####...', { padSeconds: 0.5 })).toEqual(['0.000-0.325', '0.325-0.800']);
  });

  it('never ends below an exit of 0.01', () => {
    const low = findSegments([0.15, 0.02, 0.02, 0.005, 0.005, 0.005], 0.05, 0.3, {
      ...OPTIONS,
      threshold: 0.1,
      minSpeechSeconds: 0.1,
    });
    expect(low).toEqual([{ start: 0, end: 0.15000000000000002 }]);
  });
});
