import { seededRandom } from '@edgewise/test-utils';
import { expect, it } from 'vitest';
import type { Placement } from '../image/fit.ts';
import type { Candidate } from './candidate.ts';
import { boxInSource } from './index.ts';
import { overlap, suppress } from './suppress.ts';

/** The textbook loop: take the best left, drop what overlaps it. */
function reference(candidates: readonly Candidate[], threshold: number): Candidate[] {
  let left = [...candidates].sort((a, b) => b.score - a.score);
  const kept: Candidate[] = [];
  for (let best = left[0]; best; best = left[0]) {
    const chosen = best;
    kept.push(chosen);
    left = left.slice(1).filter((c) => c.classIndex !== chosen.classIndex || overlap(c, chosen) <= threshold);
  }
  return kept;
}

it.each([1, 2, 3, 4])('suppress keeps what the textbook keeps (seed %i)', (seed) => {
  const random = seededRandom(seed);
  const candidates = Array.from({ length: 200 }, (): Candidate => {
    const [left, top] = [random.int(0, 60), random.int(0, 60)];
    const [right, bottom] = [left + random.int(0, 40), top + random.int(1, 40)];
    return { classIndex: random.int(0, 2), score: random.int(0, 50) / 50, left, top, right, bottom };
  });
  for (const threshold of [0, 0.3, 0.45, 1]) {
    const expected = reference(candidates, threshold);
    expect(suppress(candidates, threshold, 1000)).toEqual(expected);
    expect(suppress(candidates, threshold, 7)).toEqual(expected.slice(0, 7));
  }
});

it('boxes go back through crop, letterbox and stretch', () => {
  const candidate: Candidate = { classIndex: 0, score: 1, left: 10, top: 0, right: 30, bottom: 40 };
  const placement: Placement = {
    sourceWidth: 200,
    sourceHeight: 100,
    resizedWidth: 100,
    resizedHeight: 50,
    left: -20,
    top: 10,
  };
  expect(boxInSource(candidate, placement, false)).toEqual({ x: -20, y: 20, width: 40, height: 80 });
  expect(boxInSource(candidate, placement, true)).toEqual({ x: 0, y: 20, width: 20, height: 80 });
});
