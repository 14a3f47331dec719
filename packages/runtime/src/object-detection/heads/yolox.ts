import type { GridHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import {
  cornersInCell,
  gridCells,
  listCandidates,
  outputOf,
  type Candidate,
  type Cell,
  type DecodeContext,
} from '../candidate.ts';

/**
 * [1, anchors, 5 + classes]: centre = (offset + cell) × stride, size = exp(log size) × stride, score = objectness ×
 * class (YOLOX's `demo_postprocess` in yolox/utils/demo_utils.py).
 */
export function decodeYolox(outputs: Outputs, context: DecodeContext, { strides }: GridHead): Candidate[] {
  const cells = gridCells(context, strides);
  const row = 5 + context.classCount;
  const { data } = outputOf(outputs, context.first, [1, cells.length, row]);
  return listCandidates(cells.length, context, (anchor) => {
    const at = (index: number): number => data[anchor * row + index] as number;
    return {
      scores: data,
      start: anchor * row + 5,
      factor: at(4),
      corners: () => cornersInCell(cells[anchor] as Cell, at(0), at(1), at(2), at(3)),
    };
  });
}
