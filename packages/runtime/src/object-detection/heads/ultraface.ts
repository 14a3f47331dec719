import type { CornersHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import { listCandidates, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** Boxes [1, anchors, 4]: corners as shares of the input; scores [1, anchors, 1 + classes]: probabilities. */
export function decodeUltraface(outputs: Outputs, context: DecodeContext, head: CornersHead): Candidate[] {
  const columns = 1 + context.classCount;
  const { data: scores, shape } = outputOf(outputs, head.scores, [1, -1, columns]);
  const anchors = shape[1] ?? 0;
  const { data: boxes } = outputOf(outputs, head.boxes, [1, anchors, 4]);
  return listCandidates(anchors, context, (anchor) => {
    const at = (corner: number): number => boxes[anchor * 4 + corner] as number;
    return {
      scores,
      start: anchor * columns + 1,
      corners: () => ({
        left: at(0) * context.width,
        top: at(1) * context.height,
        right: at(2) * context.width,
        bottom: at(3) * context.height,
      }),
    };
  });
}
