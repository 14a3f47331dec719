import type { Outputs } from '../../session/session.ts';
import { cornersOf, listClasses, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** [1, 4 + classes, anchors]: centre and size in input pixels, class probabilities; no objectness. */
export function decodeYolov8(outputs: Outputs, name: string, context: DecodeContext): Candidate[] {
  const { data, shape } = outputOf(outputs, name, [1, 4 + context.classCount, -1]);
  const anchors = shape[2] ?? 0;
  return Array.from({ length: anchors }, (_, anchor) => {
    const classes = listClasses({ data, start: 4 * anchors + anchor, step: anchors }, 1, context);
    const at = (channel: number): number => data[channel * anchors + anchor] as number;
    return classes.map((found) => ({ ...found, ...cornersOf(at(0), at(1), at(2), at(3)) }));
  }).flat();
}
