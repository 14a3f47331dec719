import { RuntimeError } from '../runtime-error.ts';
import type { Outputs, Tensor } from '../session/session.ts';

/** A box before suppression, corners in pixels of the model's input. */
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
  /** Size of the model's input, pixels. */
  readonly width: number;
  readonly height: number;
  readonly classCount: number;
  /** Candidates below it are not made. */
  readonly scoreThreshold: number;
  /** Every class above the threshold instead of the best of an anchor. */
  readonly allClasses: boolean;
}

/** Where the class scores of one anchor lie in an output. */
export interface ScoreRow {
  readonly data: ArrayLike<number>;
  readonly start: number;
  /** Elements from one class to the next. */
  readonly step: number;
}

/** Which classes of an anchor reach the threshold, their scores multiplied by `factor`. */
export function listClasses(
  { data, start, step }: ScoreRow,
  factor: number,
  { classCount, scoreThreshold, allClasses }: DecodeContext,
): { readonly classIndex: number; readonly score: number }[] {
  const found: { classIndex: number; score: number }[] = [];
  let best = -Infinity;
  for (let classIndex = 0; classIndex < classCount; classIndex++) {
    const score = (data[start + classIndex * step] as number) * factor;
    // Written so that NaN is left out.
    if (!(score >= scoreThreshold) || (!allClasses && score <= best)) continue;
    best = score;
    if (!allClasses) found.length = 0;
    found.push({ classIndex, score });
  }
  return found;
}

/** Corners from a centre and a size. */
export function cornersOf(
  centerX: number,
  centerY: number,
  width: number,
  height: number,
): Omit<Candidate, 'classIndex' | 'score'> {
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

/** The cells of the grids of all strides, in the order of a detector's anchors: row by row, stride by stride. */
export function gridCells(
  { width, height }: DecodeContext,
  strides: readonly number[],
): { readonly column: number; readonly row: number; readonly stride: number }[] {
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
