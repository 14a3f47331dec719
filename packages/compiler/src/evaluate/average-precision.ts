import type { Box, DetectedBox, GoldBox } from './detection.ts';

/** COCO's: 0.5, 0.55 … 0.95. */
export const COCO_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

const RECALL_POINTS = 101;
/** Detections of one class in one image that count, best first. */
const MAX_DETECTIONS = 100;

export interface AveragePrecisionOptions {
  /** Overlaps (intersection over union) from which a box counts as found. Default `COCO_THRESHOLDS`. */
  readonly thresholds?: readonly number[];
  /** Only golds of this many pixels, both ends included; others are ignored. Default all. */
  readonly area?: readonly [low: number, high: number];
}

/** What a detector found on an image and what is there. */
export interface ScoredImage {
  readonly found: readonly DetectedBox[];
  readonly golds: readonly GoldBox[];
}

/** What one detection is worth at one threshold; ignored ones are left out. */
interface Judgement {
  readonly score: number;
  readonly hit: boolean;
}

/** All that one class's average precision needs, whichever images are taken. Detections of all images, best first. */
interface ClassJudgements {
  /** Golds that count, by image. */
  readonly golds: readonly number[];
  /** For each threshold. */
  readonly byThreshold: readonly OrderedJudgements[];
}

interface OrderedJudgements {
  /** 1 for a hit. */
  readonly hits: Uint8Array;
  /** Positions of their images. */
  readonly images: Int32Array;
}

/**
 * Mean average precision, 0…1: over the classes that have golds, over the thresholds, of the precision interpolated at
 * 101 recalls. pycocotools' `COCOeval` with its rules for crowds, areas and at most 100 detections; NaN without golds.
 */
export function meanAveragePrecision(
  images: readonly ScoredImage[],
  options: AveragePrecisionOptions = {},
): number {
  return averagePrecisionOver(images, options)([...images.keys()]);
}

/**
 * The same as a function of which images are taken, by position, some of them perhaps several times. Boxes are compared
 * once, so that resampling is quick.
 */
export function averagePrecisionOver(
  images: readonly ScoredImage[],
  { thresholds = COCO_THRESHOLDS, area = [0, Infinity] }: AveragePrecisionOptions = {},
): (positions: readonly number[]) => number {
  const classes = new Set(images.flatMap(({ golds }) => golds.map(({ classIndex }) => classIndex)));
  const judged = [...classes].map((classIndex) => judgeClass(images, classIndex, thresholds, area));
  return (positions) => {
    const times = new Uint32Array(images.length);
    for (const position of positions) times[position]!++;
    const values = judged.flatMap(({ golds, byThreshold }) => {
      const total = golds.reduce((sum, count, image) => sum + count * times[image]!, 0);
      return total === 0 ? [] : byThreshold.map((ordered) => averagePrecision(ordered, times, total));
    });
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
}

function judgeClass(
  images: readonly ScoredImage[],
  classIndex: number,
  thresholds: readonly number[],
  area: readonly [number, number],
): ClassJudgements {
  const ofClass = images.map((image) => selectClass(image, classIndex));
  return {
    golds: ofClass.map(({ golds }) => golds.filter((gold) => !isIgnored(gold, area)).length),
    byThreshold: thresholds.map((threshold) => {
      const ordered = ofClass
        .flatMap((each, image) => judge(each, threshold, area).map((judgement) => ({ ...judgement, image })))
        .sort((x, y) => y.score - x.score);
      return {
        hits: Uint8Array.from(ordered, ({ hit }) => Number(hit)),
        images: Int32Array.from(ordered, ({ image }) => image),
      };
    }),
  };
}

function selectClass({ found, golds }: ScoredImage, classIndex: number): ScoredImage {
  const best = found
    .filter((box) => box.classIndex === classIndex)
    .sort((a, b) => b.score - a.score)
    .slice(0, MAX_DETECTIONS);
  return { found: best, golds: golds.filter((gold) => gold.classIndex === classIndex) };
}

function isIgnored(gold: GoldBox, [low, high]: readonly [number, number]): boolean {
  const area = gold.area ?? areaOf(gold.box);
  return (gold.crowd ?? false) || area < low || area > high;
}

/** Matches detections, best first, each to the free gold that it overlaps most; golds that count go before ignored ones. */
function judge(
  { found, golds }: ScoredImage,
  threshold: number,
  area: readonly [number, number],
): readonly Judgement[] {
  const isTaken = golds.map(() => false);
  const counted = golds.flatMap((gold, index) => (isIgnored(gold, area) ? [] : [index]));
  const ignored = golds.flatMap((gold, index) => (isIgnored(gold, area) ? [index] : []));
  const bestOf = (box: Box, candidates: readonly number[]): number => {
    let best = -1;
    let most = threshold;
    for (const index of candidates) {
      const { box: goldBox, crowd = false } = golds[index] as GoldBox;
      const value = overlap(box, goldBox, crowd);
      if ((isTaken[index] && !crowd) || value < most) continue;
      most = value;
      best = index;
    }
    return best;
  };
  return found.flatMap(({ score, box }): readonly Judgement[] => {
    const match = bestOf(box, counted);
    if (match >= 0) {
      isTaken[match] = true;
      return [{ score, hit: true }];
    }
    const other = bestOf(box, ignored);
    if (other >= 0) {
      isTaken[other] = true;
      return [];
    }
    const size = areaOf(box);
    return size < area[0] || size > area[1] ? [] : [{ score, hit: false }];
  });
}

/**
 * Mean of the precision at recalls 0, 0.01 … 1, where the precision at a recall is the best from there on. A detection of
 * an image that was taken several times stands for as many, one after the other. Only hits raise the recall, so the points
 * between two of them all have the precision of the later one or of a better one behind it.
 */
function averagePrecision({ hits, images }: OrderedJudgements, times: Uint32Array, total: number): number {
  const recalls: number[] = [];
  const precisions: number[] = [];
  let found = 0;
  let seen = 0;
  for (let i = 0; i < hits.length; i++) {
    const count = times[images[i]!]!;
    if (count === 0) continue;
    seen += count;
    if (hits[i] === 0) continue;
    found += count;
    recalls.push(found / total);
    precisions.push(found / seen);
  }
  let sum = 0;
  let best = 0;
  let point = RECALL_POINTS - 1;
  for (let last = recalls.length - 1; last >= 0; last--) {
    best = Math.max(best, precisions[last]!);
    const before = recalls[last - 1] ?? -1;
    for (; point >= 0 && point / (RECALL_POINTS - 1) > before; point--)
      if (point / (RECALL_POINTS - 1) <= recalls[last]!) sum += best;
  }
  return sum / RECALL_POINTS;
}

/** Intersection over union; over the detection's own area where the gold is a crowd. */
function overlap(found: Box, gold: Box, crowd: boolean): number {
  const width = Math.min(found.x + found.width, gold.x + gold.width) - Math.max(found.x, gold.x);
  const height = Math.min(found.y + found.height, gold.y + gold.height) - Math.max(found.y, gold.y);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (crowd ? areaOf(found) : areaOf(found) + areaOf(gold) - intersection);
}

function areaOf({ width, height }: Box): number {
  return width * height;
}
