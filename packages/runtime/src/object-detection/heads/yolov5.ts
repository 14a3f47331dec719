import type { Outputs } from '../../session/session.ts';
import { cornersOf, listCandidates, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** [1, anchors, 5 + classes]: centre and size in input pixels, score = objectness × class. */
export function decodeYolov5(outputs: Outputs, context: DecodeContext): Candidate[] {
  const row = 5 + context.classCount;
  const { data, shape } = outputOf(outputs, context.first, [1, -1, row]);
  return listCandidates(shape[1] ?? 0, context, (anchor) => {
    const at = (index: number): number => data[anchor * row + index] as number;
    return {
      scores: data,
      start: anchor * row + 5,
      factor: at(4),
      corners: () => cornersOf(at(0), at(1), at(2), at(3)),
    };
  });
}
