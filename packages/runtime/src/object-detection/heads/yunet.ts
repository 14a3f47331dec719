import type { YunetHead } from '../../format/index.ts';
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
 * Per stride S: `cls_S` [1, cells, classes], `obj_S` [1, cells, 1], `bbox_S` [1, cells, 4]. score = √(class ×
 * objectness); centre = (cell + offset) × stride, size = exp(log size) × stride (OpenCV's modules/objdetect/src/face_detect.cpp).
 */
export function decodeYunet(outputs: Outputs, { strides }: YunetHead, context: DecodeContext): Candidate[] {
  return strides.flatMap((stride) => decodeStride(outputs, stride, context));
}

function decodeStride(outputs: Outputs, stride: number, context: DecodeContext): Candidate[] {
  const cells = gridCells(context, [stride]);
  const { classCount } = context;
  const { data: classes } = outputOf(outputs, `cls_${stride}`, [1, cells.length, classCount]);
  const { data: objects } = outputOf(outputs, `obj_${stride}`, [1, cells.length, 1]);
  const { data: boxes } = outputOf(outputs, `bbox_${stride}`, [1, cells.length, 4]);
  const roots = Float64Array.from(classes, (share) => Math.sqrt(Math.min(Math.max(share, 0), 1)));
  return cells.flatMap(({ column, row }, cell) => {
    const object = Math.sqrt(Math.min(Math.max(objects[cell] as number, 0), 1));
    const found = listClasses({ data: roots, start: cell * classCount, step: 1 }, object, context);
    const at = (index: number): number => boxes[cell * 4 + index] as number;
    const box = cornersOf(
      (column + at(0)) * stride,
      (row + at(1)) * stride,
      Math.exp(at(2)) * stride,
      Math.exp(at(3)) * stride,
    );
    return found.map((item) => ({ ...item, ...box }));
  });
}
