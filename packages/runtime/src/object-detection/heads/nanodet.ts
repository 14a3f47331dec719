import type { DistributionHead } from '../../format/index.ts';
import { RuntimeError } from '../../runtime-error.ts';
import type { Outputs } from '../../session/session.ts';
import { softmax } from '../../tasks/scores.ts';
import {
  gridCells,
  listCandidates,
  outputOf,
  type Candidate,
  type Cell,
  type DecodeContext,
} from '../candidate.ts';

/**
 * [1, anchors, classes + 4 × bins]: class probabilities, then for the left, top, right and bottom side the distribution
 * of its distance from the cell's corner, in strides; its mean is taken (Generalized Focal Loss; NanoDet-Plus).
 */
export function decodeNanodet(
  outputs: Outputs,
  context: DecodeContext,
  { strides }: DistributionHead,
): Candidate[] {
  const cells = gridCells(context, strides);
  const { data, shape } = outputOf(outputs, context.first, [1, cells.length, -1]);
  const size = shape[2] ?? 0;
  const bins = (size - context.classCount) / 4;
  if (!Number.isInteger(bins) || bins < 1) {
    const message = `detection: rows of ${size} hold no ${context.classCount} classes and 4 distributions`;
    throw new RuntimeError('bad-package', message);
  }
  return listCandidates(cells.length, context, (anchor) => {
    const start = anchor * size;
    const { column, row, stride } = cells[anchor] as Cell;
    const distance = (side: number): number => {
      const first = start + context.classCount + side * bins;
      const shares = softmax(data.subarray(first, first + bins));
      return shares.reduce((sum, share, bin) => sum + share * bin, 0);
    };
    return {
      scores: data,
      start,
      corners: () => ({
        left: (column - distance(0)) * stride,
        top: (row - distance(1)) * stride,
        right: (column + distance(2)) * stride,
        bottom: (row + distance(3)) * stride,
      }),
    };
  });
}
