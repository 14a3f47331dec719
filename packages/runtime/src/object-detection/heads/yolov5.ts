import type { Outputs } from '../../session/session.ts';
import { cornersOf, listClasses, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** [1, anchors, 5 + classes]: centre and size in input pixels, score = objectness × class. */
export function decodeYolov5(outputs: Outputs, name: string, context: DecodeContext): Candidate[] {
  const row = 5 + context.classCount;
  const { data, shape } = outputOf(outputs, name, [1, -1, row]);
  return Array.from({ length: shape[1] ?? 0 }, (_, anchor) => {
    const at = anchor * row;
    const classes = listClasses({ data, start: at + 5, step: 1 }, data[at + 4] as number, context);
    const [x, y, width, height] = data.subarray(at, at + 4) as unknown as [number, number, number, number];
    return classes.map((found) => ({ ...found, ...cornersOf(x, y, width, height) }));
  }).flat();
}
