import type { Candidate } from './candidate.ts';

/**
 * Greedy non-maximum suppression within each class: best first, equal scores in the order given; a box that overlaps a
 * kept one of its class by more than `iouThreshold` goes. At most `maxBoxes` stay, best first.
 */
export function suppress(
  candidates: readonly Candidate[],
  iouThreshold: number,
  maxBoxes: number,
): Candidate[] {
  const kept: Candidate[] = [];
  const keptByClass = new Map<number, Candidate[]>();
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    const rivals = keptByClass.get(candidate.classIndex) ?? [];
    if (rivals.some((rival) => overlap(rival, candidate) > iouThreshold)) continue;
    keptByClass.set(candidate.classIndex, [...rivals, candidate]);
    if (kept.push(candidate) === maxBoxes) break;
  }
  return kept;
}

/** Intersection over union, 0…1; 0 when both are empty. */
export function overlap(a: Candidate, b: Candidate): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const intersection = width * height;
  return intersection / (areaOf(a) + areaOf(b) - intersection);
}

function areaOf({ left, top, right, bottom }: Candidate): number {
  return (right - left) * (bottom - top);
}
