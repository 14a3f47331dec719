import type { DistributionHead } from '../../format/index.ts';
import { RuntimeError } from '../../runtime-error.ts';
import type { Outputs } from '../../session/session.ts';
import { softmax } from '../../tasks/scores.ts';
import { gridCells, listClasses, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/**
 * [1, anchors, classes + 4 × bins]: class probabilities, then for the left, top, right and bottom side the distribution
 * of its distance from the cell's corner, in strides; its mean is taken (Generalized Focal Loss; NanoDet-Plus).
 */
export function decodeNanodet(
  outputs: Outputs,
  name: string,
  { strides }: DistributionHead,
  context: DecodeContext,
): Candidate[] {
  const cells = gridCells(context, strides);
  const { data, shape } = outputOf(outputs, name, [1, cells.length, -1]);
  const row = shape[2] ?? 0;
  const bins = (row - context.classCount) / 4;
  if (!Number.isInteger(bins) || bins < 1) {
    const message = `detection: rows of ${row} hold no ${context.classCount} classes and 4 distributions`;
    throw new RuntimeError('bad-package', message);
  }
  return cells.flatMap(({ column, row: line, stride }, anchor) => {
    const start = anchor * row;
    const classes = listClasses({ data, start, step: 1 }, 1, context);
    if (classes.length === 0) return [];
    const distance = (side: number): number => {
      const first = start + context.classCount + side * bins;
      const shares = softmax(data.subarray(first, first + bins));
      return shares.reduce((sum, share, bin) => sum + share * bin, 0) * stride;
    };
    const [x, y] = [column * stride, line * stride];
    const box = {
      left: x - distance(0),
      top: y - distance(1),
      right: x + distance(2),
      bottom: y + distance(3),
    };
    return classes.map((found) => ({ ...found, ...box }));
  });
}
