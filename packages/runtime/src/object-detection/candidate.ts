import { RuntimeError } from '../runtime-error.ts';
import type { Outputs, Tensor } from '../session/session.ts';

/** A box before suppression. */
export interface Candidate {
  readonly classIndex: number;
  readonly score: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What every decoder is given. */
export interface DecodeContext {
  /** Name of the model's first output, for heads with only one. */
  readonly first: string;
  /** Size of the model's input, pixels. */
  readonly width: number;
  readonly height: number;
  readonly classCount: number;
  /** Candidates below it are not made. */
  readonly scoreThreshold: number;
  /** Every class above the threshold instead of the best of an anchor. */
  readonly allClasses: boolean;
}

/** Corners in pixels of the model's input. */
export type Corners = Omit<Candidate, 'classIndex' | 'score'>;

/** What a head says of one anchor. */
export interface Anchor {
  /** Where its class scores lie: the first, and elements from one to the next (1 unless said). */
  readonly scores: ArrayLike<number>;
  readonly start: number;
  readonly step?: number;
  /** Multiplies them. Default 1. */
  readonly factor?: number;
  /** Asked for only where a class reaches the threshold. */
  readonly corners: () => Corners;
}

/** The candidates of `count` anchors. */
export function listCandidates(
  count: number,
  { classCount, scoreThreshold, allClasses }: DecodeContext,
  anchorAt: (index: number) => Anchor,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (let index = 0; index < count; index++) {
    const { scores, start, step = 1, factor = 1, corners } = anchorAt(index);
    const found: { classIndex: number; score: number }[] = [];
    let best = -Infinity;
    for (let classIndex = 0; classIndex < classCount; classIndex++) {
      const score = (scores[start + classIndex * step] as number) * factor;
      // Written so that NaN is left out.
      if (!(score >= scoreThreshold) || (!allClasses && score <= best)) continue;
      best = score;
      if (!allClasses) found.length = 0;
      found.push({ classIndex, score });
    }
    if (found.length > 0) {
      const box = corners();
      candidates.push(...found.map((item) => ({ ...item, ...box })));
    }
  }
  return candidates;
}

/** Corners from a centre and a size. */
export function cornersOf(centerX: number, centerY: number, width: number, height: number): Corners {
  return {
    left: centerX - width / 2,
    top: centerY - height / 2,
    right: centerX + width / 2,
    bottom: centerY + height / 2,
  };
}

/** An output by name, of the given shape (−1: any size). Throws `bad-package` when it is not there or differs. */
export function outputOf(outputs: Outputs, name: string, shape: readonly number[]): Tensor {
  const tensor = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (!tensor) throw new RuntimeError('bad-package', `detection: the model has no output "${name}"`);
  const fits =
    tensor.shape.length === shape.length &&
    shape.every((size, axis) => size === -1 || size === tensor.shape[axis]);
  if (fits) return tensor;
  const expected = shape.map((size) => (size === -1 ? 'any' : size)).join(', ');
  const found = tensor.shape.join(', ');
  throw new RuntimeError('bad-package', `detection: output "${name}" is [${found}], not [${expected}]`);
}

/** A place of a detector's grids. */
export interface Cell {
  readonly column: number;
  readonly row: number;
  /** Pixels from one to the next. */
  readonly stride: number;
}

/** The cells of the grids of all strides, in the order of a detector's anchors: row by row, stride by stride. */
export function gridCells({ width, height }: DecodeContext, strides: readonly number[]): Cell[] {
  return strides.flatMap((stride) => {
    const columns = Math.ceil(width / stride);
    const rows = Math.ceil(height / stride);
    return Array.from({ length: rows * columns }, (_, index) => ({
      column: index % columns,
      row: Math.floor(index / columns),
      stride,
    }));
  });
}

/** Corners from the centre's offset from its cell and the logarithm of the size, in strides. */
export function cornersInCell(
  { column, row, stride }: Cell,
  x: number,
  y: number,
  logWidth: number,
  logHeight: number,
): Corners {
  return cornersOf(
    (column + x) * stride,
    (row + y) * stride,
    Math.exp(logWidth) * stride,
    Math.exp(logHeight) * stride,
  );
}
