import type { YunetHead } from '../../format/index.ts';
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
 * Per stride S: `cls_S` [1, cells, classes], `obj_S` [1, cells, 1], `bbox_S` [1, cells, 4]. score = √(class ×
 * objectness); centre = (cell + offset) × stride, size = exp(log size) × stride (OpenCV's modules/objdetect/src/face_detect.cpp).
 */
export function decodeYunet(outputs: Outputs, context: DecodeContext, { strides }: YunetHead): Candidate[] {
  return strides.flatMap((stride) => decodeStride(outputs, context, stride));
}

function decodeStride(outputs: Outputs, context: DecodeContext, stride: number): Candidate[] {
  const cells = gridCells(context, [stride]);
  const { classCount } = context;
  const partOf = (name: string, size: number): ArrayLike<number> =>
    outputOf(outputs, `${name}_${stride}`, [1, cells.length, size]).data;
  const scores = Float64Array.from(partOf('cls', classCount), rootOfShare);
  const objects = partOf('obj', 1);
  const boxes = partOf('bbox', 4);
  return listCandidates(cells.length, context, (anchor) => {
    const at = (index: number): number => boxes[anchor * 4 + index] as number;
    return {
      scores,
      start: anchor * classCount,
      factor: rootOfShare(objects[anchor] as number),
      corners: () => cornersInCell(cells[anchor] as Cell, at(0), at(1), at(2), at(3)),
    };
  });
}

function rootOfShare(share: number): number {
  return Math.sqrt(Math.min(Math.max(share, 0), 1));
}
