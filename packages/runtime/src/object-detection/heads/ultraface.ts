import type { CornersHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import { listClasses, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** Boxes [1, anchors, 4]: corners as shares of the input; scores [1, anchors, 1 + classes]: probabilities. */
export function decodeUltraface(outputs: Outputs, head: CornersHead, context: DecodeContext): Candidate[] {
  const columns = 1 + context.classCount;
  const { data: scores, shape } = outputOf(outputs, head.scores, [1, -1, columns]);
  const anchors = shape[1] ?? 0;
  const { data: boxes } = outputOf(outputs, head.boxes, [1, anchors, 4]);
  return Array.from({ length: anchors }, (_, anchor) => {
    const classes = listClasses({ data: scores, start: anchor * columns + 1, step: 1 }, 1, context);
    const at = (corner: number): number => boxes[anchor * 4 + corner] as number;
    const box = {
      left: at(0) * context.width,
      top: at(1) * context.height,
      right: at(2) * context.width,
      bottom: at(3) * context.height,
    };
    return classes.map((found) => ({ ...found, ...box }));
  }).flat();
}
