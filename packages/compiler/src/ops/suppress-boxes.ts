/** What NonMaxSuppression is told besides boxes and scores. */
export interface Suppression {
  readonly batch: number;
  readonly classes: number;
  /** Of each batch entry. */
  readonly boxes: number;
  /** Most boxes of a class that are kept. */
  readonly maxPerClass: number;
  /** Boxes that overlap a kept one by more (intersection over union) go. */
  readonly iouThreshold: number;
  /** Boxes need a higher score; null: all take part. */
  readonly scoreThreshold: number | null;
  /** Two corners [y, x, y, x] in any order, or [x, y, width, height] around the centre. */
  readonly format: 'corners' | 'centre';
}

type Numbers = ArrayLike<number>;

const { fround } = Math;

/**
 * Greedy non-maximum suppression of each class, best score first (of equal ones the lowest box): rows [batch entry, class, box]. `boxes`
 * [batch, boxes, 4], `scores` [batch, classes, boxes]; overlaps in float32 in onnxruntime's order.
 */
export function suppressBoxes(boxes: Numbers, scores: Numbers, limits: Suppression): number[][] {
  const rows: number[][] = [];
  for (let entry = 0; entry < limits.batch; entry++) {
    const sidesOf = (box: number): Side[] =>
      readSides(boxes, 4 * (entry * limits.boxes + box), limits.format);
    for (let classIndex = 0; classIndex < limits.classes; classIndex++) {
      const start = (entry * limits.classes + classIndex) * limits.boxes;
      const scoreOf = (box: number): number => scores[start + box]!;
      const candidates = Array.from({ length: limits.boxes }, (_, box) => box)
        .filter((box) => limits.scoreThreshold === null || scoreOf(box) > limits.scoreThreshold)
        .sort((a, b) => scoreOf(b) - scoreOf(a));
      const kept: number[] = [];
      for (const box of candidates) {
        if (kept.length === limits.maxPerClass) break;
        if (kept.every((other) => !overlap(sidesOf(other), sidesOf(box), limits.iouThreshold)))
          kept.push(box);
      }
      rows.push(...kept.map((box) => [entry, classIndex, box]));
    }
  }
  return rows;
}

interface Side {
  readonly low: number;
  readonly high: number;
}

/** Of a box along x and y. */
function readSides(boxes: Numbers, at: number, format: Suppression['format']): Side[] {
  const [a, b, c, d] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
  if (format === 'corners')
    return [
      { low: Math.min(b, d), high: Math.max(b, d) },
      { low: Math.min(a, c), high: Math.max(a, c) },
    ];
  return [
    { low: fround(a - fround(c / 2)), high: fround(a + fround(c / 2)) },
    { low: fround(b - fround(d / 2)), high: fround(b + fround(d / 2)) },
  ];
}

/** Whether two boxes overlap by more than a share of their union. Empty ones never do. */
function overlap(a: readonly Side[], b: readonly Side[], threshold: number): boolean {
  const common = a.map(({ low, high }, axis) => ({
    low: Math.max(low, b[axis]!.low),
    high: Math.min(high, b[axis]!.high),
  }));
  if (common.some(({ low, high }) => high <= low)) return false;
  const [shared, areaA, areaB] = [area(common), area(a), area(b)];
  const union = fround(fround(areaA + areaB) - shared);
  if ([shared, areaA, areaB, union].some((value) => value <= 0)) return false;
  return fround(shared / union) > threshold;
}

function area([x, y]: readonly Side[]): number {
  return fround(fround(x!.high - x!.low) * fround(y!.high - y!.low));
}
