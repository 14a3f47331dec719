/** Pixels; `x` and `y` are the upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box that a detector found. */
export interface DetectedBox {
  readonly classIndex: number;
  readonly score: number;
  readonly box: Box;
}

/** A box that is there. */
export interface GoldBox {
  readonly classIndex: number;
  readonly box: Box;
  /** Pixels of the object, which may be fewer than the box has. Default: the box's. */
  readonly area?: number;
  /** A crowd: what is found inside counts neither for nor against. Default false. */
  readonly crowd?: boolean;
}
