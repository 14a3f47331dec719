import { expect, it } from 'vitest';
import { melFilters } from './mel-filters.ts';

const bank = { bands: 4, low: 0, high: 4000, scale: 'htk', triangles: 'mel' } as const;

it('triangles in mel overlap so that every bin between the outer middles counts once', () => {
  const filters = melFilters(bank, 512, 16_000);
  const total = new Float64Array(257);
  for (const { first, weights } of filters) weights.forEach((w, index) => (total[first + index]! += w));
  const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const step = mel(4000) / 5;
  const mels = total.map((_, bin) => mel((bin * 16_000) / 512));
  const between = total.filter((_, bin) => mels[bin]! > step && mels[bin]! < 4 * step);
  expect(between.length).toBeGreaterThan(60);
  expect(Array.from(between)).toEqual(Array.from(between, () => expect.closeTo(1, 3) as number));
  const above = total.filter((_, bin) => mels[bin]! > 5 * step);
  expect(above.length).toBeGreaterThan(100);
  expect(above.every((sum) => sum === 0)).toBe(true);
});

it('a band between two bins has no weight', () => {
  const filters = melFilters({ ...bank, bands: 40, high: 500 }, 64, 16_000);
  expect(filters.filter(({ weights }) => weights.length === 0).length).toBeGreaterThan(30);
});
