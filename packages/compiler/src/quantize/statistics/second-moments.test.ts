import { expectTensorClose, seededRandom } from '@edgewise/test-utils';
import { describe, expect, it } from 'vitest';
import { SecondMoments } from './second-moments.ts';

/** Upper triangle of the mean of x·xᵀ, in float64. */
function naive(rows: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width * width);
  const count = rows.length / width;
  for (let at = 0; at < rows.length; at += width)
    for (let i = 0; i < width; i++)
      for (let j = i; j < width; j++) sums[i * width + j]! += rows[at + i]! * rows[at + j]!;
  return Float32Array.from(sums, (sum) => sum / count);
}

describe('SecondMoments', () => {
  it.each([
    { width: 1, lengths: [1, 3] },
    { width: 7, lengths: [2, 300, 5] },
    { width: 8, lengths: [256, 1] },
    { width: 33, lengths: [255, 2, 600] },
    { width: 130, lengths: [40] },
  ])('is the mean of outer products, however rows come: width $width', ({ width, lengths }) => {
    const random = seededRandom(width);
    const pieces = lengths.map((length) => random.normal(length * width, 0.5, 2));
    const all = Float32Array.from(pieces.flatMap((piece) => [...piece]));
    const moments = new SecondMoments(width);
    for (const piece of pieces) moments.add(piece);
    expect(moments.count).toBe(all.length / width);
    const expected = naive(all, width);
    // Rounded to 16 bits (co-moments.ts): mean squares are about 4.
    expectTensorClose(Float32Array.from(moments.matrix()), expected, { abs: 4e-4 });
    const squares = Float32Array.from({ length: width }, (_, i) => expected[i * width + i]!);
    expectTensorClose(moments.meanSquares(), squares, { rel: 1e-4 });
    const means = squares.map(
      (_, i) => all.reduce((sum, x, at) => (at % width === i ? sum + x : sum), 0) / moments.count,
    );
    expectTensorClose(moments.means(), means, { rel: 1e-6 });
  });

  it('is zero without rows', () => {
    expect([...new SecondMoments(2).matrix()]).toEqual([0, 0, 0, 0]);
  });
});
