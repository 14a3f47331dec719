import type { Outputs } from '../../session/session.ts';
import { cornersOf, listCandidates, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** [1, 4 + classes, anchors]: centre and size in input pixels, class probabilities; no objectness. */
export function decodeYolov8(outputs: Outputs, context: DecodeContext): Candidate[] {
  const { data, shape } = outputOf(outputs, context.first, [1, 4 + context.classCount, -1]);
  const [, , anchors = 0] = shape;
  return listCandidates(anchors, context, (anchor) => {
    const at = (channel: number): number => data[channel * anchors + anchor] as number;
    return {
      scores: data,
      start: 4 * anchors + anchor,
      step: anchors,
      corners: () => cornersOf(at(0), at(1), at(2), at(3)),
    };
  });
}
