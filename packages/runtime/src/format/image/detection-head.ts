/** What a detector's outputs mean, and which boxes are kept. docs/package-format.md has the arithmetic. */
export type DetectionHead = DetectionLimits &
  (
    | GridHead
    | DecodedHead
    | FastestDetHead
    | DistributionHead
    | CornersHead
    | PriorsHead
    | YunetHead
    | RowsHead
  );

export interface DetectionLimits {
  /** Boxes below it are dropped, 0…1. Default 0.25. */
  readonly scoreThreshold?: number;
  /** Of two boxes of one class that overlap more (intersection over union), the better one stays. Default 0.45; of `rows` 1. */
  readonly iouThreshold?: number;
  /** Most boxes of an image. Default 100. */
  readonly maxBoxes?: number;
  /** Whether an anchor gives its best class or every class above the threshold (`all`). Default `best`. */
  readonly classes?: 'best' | 'all';
}

/** YOLOX: one output [1, anchors, 5 + classes]; offsets and log sizes to be decoded; scores are probabilities. */
export interface GridHead {
  readonly kind: 'yolox';
  readonly strides: readonly number[];
}

/**
 * Boxes decoded to centre and size in input pixels. `yolov5`: [1, anchors, 5 + classes] with an objectness;
 * `yolov8`: [1, 4 + classes, anchors], also YOLOv9 and YOLO11.
 */
export interface DecodedHead {
  readonly kind: 'yolov5' | 'yolov8';
}

/** FastestDet: [1, 5 + classes, rows, columns]: objectness, tanh offsets, sigmoid sizes, softmax classes. */
export interface FastestDetHead {
  readonly kind: 'fastestdet';
}

/** NanoDet: [1, anchors, classes + 4 × (bins)]: probabilities, then a distribution of the distance to each side. */
export interface DistributionHead {
  readonly kind: 'nanodet';
  readonly strides: readonly number[];
}

/** UltraFace and others that decode in the graph: corners as shares of the input, scores with a background first. */
export interface CornersHead {
  readonly kind: 'ultraface';
  /** Names of outputs: [1, anchors, 4] and [1, anchors, 1 + classes]. */
  readonly boxes: string;
  readonly scores: string;
}

/** SSD: boxes relative to priors, scores of the classes after a background. */
export interface PriorsHead {
  readonly kind: 'ssd';
  readonly boxes: string;
  readonly scores: string;
  /** Centre x, centre y, width, height of each anchor as shares of the input, one after the other. */
  readonly priors: readonly number[];
  /** Of centre and size, usually [0.1, 0.2]. */
  readonly variances: readonly [number, number];
  /** What turns scores into probabilities; `none` when they are. */
  readonly activation: 'softmax' | 'sigmoid' | 'none';
}

/** YuNet: outputs `cls_S`, `obj_S`, `bbox_S` for each stride S. */
export interface YunetHead {
  readonly kind: 'yunet';
  readonly strides: readonly number[];
}

/** What a row of `RowsHead` has to say. */
export const ROW_COLUMNS = ['left', 'top', 'right', 'bottom', 'score', 'class'] as const;

/** Models that choose their boxes themselves (NonMaxSuppression in the graph, YOLOv10): one output, [boxes, columns] or [1, boxes, columns]. */
export interface RowsHead {
  readonly kind: 'rows';
  /** What each column holds: `ROW_COLUMNS` in any order, corners in input pixels; other names are not read. */
  readonly columns: readonly string[];
}
