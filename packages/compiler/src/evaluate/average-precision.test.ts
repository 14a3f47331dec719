import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { meanAveragePrecision, type AveragePrecisionOptions, type ScoredImage } from './average-precision.ts';
import type { Box, GoldBox } from './detection.ts';

/** Made by oracles/coco_map.py. */
const recorded = JSON.parse(
  readFileSync(new URL('../../test/fixtures/detection/coco-map.json', import.meta.url), 'utf8'),
) as { images: ScoredImage[]; expected: Record<string, number> };

describe('meanAveragePrecision', () => {
  it.each<[string, AveragePrecisionOptions]>([
    ['all', {}],
    ['at50', { thresholds: [0.5] }],
    ['at75', { thresholds: [0.75] }],
    ['small', { area: [0, 32 ** 2] }],
    ['medium', { area: [32 ** 2, 96 ** 2] }],
    ['large', { area: [96 ** 2, 1e10] }],
  ])('is what pycocotools says: %s', (name, options) => {
    expect(meanAveragePrecision(recorded.images, options)).toBeCloseTo(recorded.expected[name] ?? NaN, 12);
  });

  const box: Box = { x: 0, y: 0, width: 10, height: 10 };
  const far: Box = { ...box, x: 100 };
  const gold: GoldBox = { classIndex: 0, box };

  it('counts a second box on the same object as an error', () => {
    const found = [
      { classIndex: 0, score: 0.9, box },
      { classIndex: 0, score: 0.8, box },
    ];
    expect(meanAveragePrecision([{ golds: [gold], found }])).toBe(1);
    expect(meanAveragePrecision([{ golds: [gold, { ...gold, box: far }], found }])).toBeCloseTo(51 / 101, 12);
  });

  it('is 0 when nothing is found and NaN when nothing is there', () => {
    expect(meanAveragePrecision([{ golds: [gold], found: [] }])).toBe(0);
    expect(meanAveragePrecision([{ golds: [], found: [{ classIndex: 0, score: 1, box }] }])).toBeNaN();
  });
});
