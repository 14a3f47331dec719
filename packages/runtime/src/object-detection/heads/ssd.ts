import type { PriorsHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import { sigmoid, softmax } from '../../tasks/scores.ts';
import { cornersOf, listCandidates, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/**
 * Boxes [1, anchors, 4] relative to priors: centre = prior centre + offset × variance × prior size, size = prior size ×
 * exp(log size × variance) (Liu et al. 2016, SSD). Scores [1, anchors, 1 + classes], the background first.
 */
export function decodeSsd(outputs: Outputs, context: DecodeContext, head: PriorsHead): Candidate[] {
  const { priors, variances, activation } = head;
  const anchors = priors.length / 4;
  const columns = 1 + context.classCount;
  const { data: scores } = outputOf(outputs, head.scores, [1, anchors, columns]);
  const { data: boxes } = outputOf(outputs, head.boxes, [1, anchors, 4]);
  const activate = { softmax, sigmoid, none: (row: ArrayLike<number>) => row }[activation];
  return listCandidates(anchors, context, (anchor) => {
    const prior = (index: number): number => priors[anchor * 4 + index] as number;
    const box = (index: number): number => boxes[anchor * 4 + index] as number;
    return {
      scores: activate(scores.subarray(anchor * columns, (anchor + 1) * columns)),
      start: 1,
      corners: () =>
        cornersOf(
          (prior(0) + box(0) * variances[0] * prior(2)) * context.width,
          (prior(1) + box(1) * variances[0] * prior(3)) * context.height,
          prior(2) * Math.exp(box(2) * variances[1]) * context.width,
          prior(3) * Math.exp(box(3) * variances[1]) * context.height,
        ),
    };
  });
}
