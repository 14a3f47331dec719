import { meanAveragePrecision } from './average-precision.ts';
import type { DetectedBox } from './detection.ts';

export interface BoxAgreementOptions {
  /** Boxes of the float model that count as found. Default 0.3. */
  readonly scoreThreshold?: number;
}

/**
 * How well a candidate finds what the float model finds, image by image: its mean average precision with the float model's boxes for
 * golds, 0…1. Needs no labels; NaN when the float model finds nothing.
 */
export function boxAgreement(
  float: readonly (readonly DetectedBox[])[],
  candidate: readonly (readonly DetectedBox[])[],
  { scoreThreshold = 0.3 }: BoxAgreementOptions = {},
): number {
  return meanAveragePrecision(
    candidate.map((found, image) => ({
      found,
      golds: (float[image] ?? []).filter(({ score }) => score >= scoreThreshold),
    })),
  );
}
