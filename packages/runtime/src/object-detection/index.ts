import type { Placement } from '../image/fit.ts';
import type { DetectionHead } from '../format/index.ts';
import { loadImageTask, type ReadImage } from '../image/image-task.ts';
import type { PackageSource } from '../package/package-reader.ts';
import type { Platform } from '../session/platform.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { SessionOptions } from '../session/session.ts';
import { mapInputs, type TaskHandle } from '../tasks/task-handle.ts';
import type { Candidate } from './candidate.ts';
import { decode } from './decode.ts';
import { suppress } from './suppress.ts';

/** Name of the task as the manifest writes it. */
export const TASK = 'object-detection';

const SCORE_THRESHOLD = 0.25;
const IOU_THRESHOLD = 0.45;
const MAX_BOXES = 100;

/** Pixels of the image that was passed; `x` and `y` are the upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Detection {
  readonly label: string;
  /** 0…1. */
  readonly score: number;
  readonly box: Box;
}

export interface DetectOptions {
  /** Boxes below it are dropped, 0…1. Default: the package's. */
  readonly scoreThreshold?: number;
  /** Most boxes. Default: the package's. */
  readonly maxBoxes?: number;
  /** Cut boxes to the image. Default true. */
  readonly clip?: boolean;
}

/** Best box first. One image gives one list, an array of images an array of lists. */
export interface ObjectDetector<Image> extends TaskHandle {
  (image: Image, options?: DetectOptions): Promise<Detection[]>;
  (images: readonly Image[], options?: DetectOptions): Promise<Detection[][]>;
}

/**
 * Loads an object-detection package.
 *
 *     const detect = await load('/models/yolox');
 *     for (const { label, score, box } of await detect(image)) draw(box, label);
 */
export type LoadObjectDetector<Image> = (
  source: PackageSource,
  options?: SessionOptions,
) => Promise<ObjectDetector<Image>>;

export function objectDetectorLoader<Image>(
  platform: Platform,
  readImage: ReadImage<Image>,
): LoadObjectDetector<Image> {
  return async (source, options = {}) => {
    const { handle, manifest, run } = await loadImageTask(platform, readImage, TASK, source, options);
    const { labels = [], detection: head, preprocessing } = manifest;
    if (!head) throw new RuntimeError('bad-package', 'the package does not say what its outputs mean');
    const { width, height } = preprocessing;
    const shared = {
      first: handle.session.outputs[0]?.name ?? '',
      width,
      height,
      classCount: labels.length,
      allClasses: head.classes === 'all',
    };

    const detectOne = async (image: Image, given: Required<DetectOptions>): Promise<Detection[]> => {
      const { outputs, placement } = await run(image);
      const { scoreThreshold, maxBoxes, clip } = given;
      const candidates = decode(outputs, head, { ...shared, scoreThreshold });
      return suppress(candidates, head.iouThreshold ?? defaultIouThreshold(head), maxBoxes).map(
        (candidate) => ({
          label: labels[candidate.classIndex] ?? '',
          score: candidate.score,
          box: boxInSource(candidate, placement, clip),
        }),
      );
    };
    const detect = async (
      images: Image | readonly Image[],
      {
        scoreThreshold = head.scoreThreshold ?? SCORE_THRESHOLD,
        maxBoxes = head.maxBoxes ?? MAX_BOXES,
        clip = true,
      }: DetectOptions = {},
    ): Promise<Detection[] | Detection[][]> => {
      checkOptions(scoreThreshold, maxBoxes);
      return mapInputs(images, (image) => detectOne(image, { scoreThreshold, maxBoxes, clip }));
    };
    return Object.assign(detect as ObjectDetector<Image>, handle);
  };
}

/** A model that gives rows has suppressed its boxes itself. */
function defaultIouThreshold({ kind }: DetectionHead): number {
  return kind === 'rows' ? 1 : IOU_THRESHOLD;
}

function checkOptions(scoreThreshold: number, maxBoxes: number): void {
  if (!(scoreThreshold >= 0 && scoreThreshold <= 1)) {
    throw new RuntimeError(
      'bad-option',
      `scoreThreshold must be a number from 0 to 1, not ${scoreThreshold}`,
    );
  }
  if (!Number.isInteger(maxBoxes) || maxBoxes < 1) {
    throw new RuntimeError('bad-option', `maxBoxes must be a whole number from 1, not ${maxBoxes}`);
  }
}

/** Undoes the fit: pixels of the input become pixels of the image. */
export function boxInSource(candidate: Candidate, placement: Placement, clip: boolean): Box {
  const { sourceWidth, sourceHeight, resizedWidth, resizedHeight } = placement;
  const toX = (x: number): number => ((x + placement.left) * sourceWidth) / resizedWidth;
  const toY = (y: number): number => ((y + placement.top) * sourceHeight) / resizedHeight;
  const within = (value: number, high: number): number => (clip ? Math.min(Math.max(value, 0), high) : value);
  const x = within(toX(candidate.left), sourceWidth);
  const y = within(toY(candidate.top), sourceHeight);
  const width = within(toX(candidate.right), sourceWidth) - x;
  const height = within(toY(candidate.bottom), sourceHeight) - y;
  return { x, y, width, height };
}
