import { expect, it } from 'vitest';
import { curveLengths, timeAt } from './latency-curve.ts';

it.each([
  [8, [8]],
  [30, [8, 16, 24, 30]],
  [128, [8, 16, 24, 40, 56, 88, 128]],
  [512, [8, 16, 24, 48, 88, 160, 280, 512]],
])('curveLengths(%i)', (limit, lengths) => {
  expect(curveLengths(limit)).toEqual(lengths);
});

it('timeAt joins the measured points by straight lines', () => {
  const curve = [
    { tokens: 8, ms: 1 },
    { tokens: 24, ms: 2 },
    { tokens: 64, ms: 6 },
  ];
  expect([3, 8, 12, 24, 44, 64, 100].map((tokens) => timeAt(curve, tokens))).toEqual([
    1, 1, 1.25, 2, 4, 6, 6,
  ]);
  expect(timeAt([], 8)).toBeNaN();
});
