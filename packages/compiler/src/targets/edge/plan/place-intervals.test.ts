import { seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { placeIntervals, type Interval } from './place-intervals.ts';

describe('placeIntervals', () => {
  it('gives neighbours in time the same place', () => {
    const { offsets, bytes } = placeIntervals(
      [
        { bytes: 100, first: 0, last: 1 },
        { bytes: 64, first: 1, last: 2 },
        { bytes: 90, first: 2, last: 3 },
      ],
      64,
    );
    expect(offsets).toEqual([0, 128, 0]);
    expect(bytes).toBe(192);
  });

  it('fills a gap between two that are alive', () => {
    const { offsets } = placeIntervals(
      [
        { bytes: 256, first: 0, last: 0 },
        { bytes: 192, first: 0, last: 2 },
        { bytes: 128, first: 1, last: 1 },
        { bytes: 64, first: 1, last: 2 },
      ],
      64,
    );
    expect(offsets).toEqual([0, 256, 0, 128]);
  });

  it('tries another order where the largest first leaves a gap', () => {
    const { bytes } = placeIntervals(
      [
        { bytes: 128, first: 0, last: 1 },
        { bytes: 128, first: 3, last: 4 },
        { bytes: 64, first: 1, last: 2 },
        { bytes: 96, first: 2, last: 3 },
      ],
      32,
    );
    expect(bytes).toBe(224);
  });

  it('takes nothing for nothing', () => {
    expect(placeIntervals([], 64)).toEqual({ offsets: [], bytes: 0 });
  });

  it.each([1, 2, 3, 4, 5])('never overlaps what is alive together, seed %i', (seed) => {
    const random = seededRandom(seed);
    const intervals = Array.from({ length: 60 }, (): Interval => {
      const first = random.int(0, 19);
      return {
        bytes: random.int(1, 500),
        first,
        last: first + random.int(0, 5),
      };
    });
    const { offsets, bytes } = placeIntervals(intervals, 16);
    intervals.forEach((a, i) => {
      expect(offsets[i]! % 16).toBe(0);
      expect(offsets[i]! + a.bytes).toBeLessThanOrEqual(bytes);
      intervals.forEach((b, j) => {
        if (i >= j || a.first > b.last || b.first > a.last) return;
        const apart = offsets[i]! + a.bytes <= offsets[j]! || offsets[j]! + b.bytes <= offsets[i]!;
        expect(apart, `${i} and ${j}`).toBe(true);
      });
    });
    const largestLiveSet = Math.max(
      ...Array.from({ length: 26 }, (_, time) =>
        intervals.reduce(
          (sum, { bytes: own, first, last }) => sum + (first <= time && time <= last ? own : 0),
          0,
        ),
      ),
    );
    expect(bytes).toBeLessThanOrEqual(1.3 * largestLiveSet);
  });
});
