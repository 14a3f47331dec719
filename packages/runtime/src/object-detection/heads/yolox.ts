import type { GridHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import {
  cornersOf,
  gridCells,
  listClasses,
  outputOf,
  type Candidate,
  type DecodeContext,
} from '../candidate.ts';

/**
 * [1, anchors, 5 + classes]: centre = (offset + cell) × stride, size = exp(log size) × stride, score = objectness ×
 * class (YOLOX's `demo_postprocess` in yolox/utils/demo_utils.py).
 */
export function decodeYolox(
  outputs: Outputs,
  name: string,
  { strides }: GridHead,
  context: DecodeContext,
): Candidate[] {
  const cells = gridCells(context, strides);
  const row = 5 + context.classCount;
  const { data } = outputOf(outputs, name, [1, cells.length, row]);
  return cells.flatMap((cell, anchor) => {
    const at = anchor * row;
    const classes = listClasses({ data, start: at + 5, step: 1 }, data[at + 4] as number, context);
    const box = cornersOf(
      ((data[at] as number) + cell.column) * cell.stride,
      ((data[at + 1] as number) + cell.row) * cell.stride,
      Math.exp(data[at + 2] as number) * cell.stride,
      Math.exp(data[at + 3] as number) * cell.stride,
    );
    return classes.map((found) => ({ ...found, ...box }));
  });
}
