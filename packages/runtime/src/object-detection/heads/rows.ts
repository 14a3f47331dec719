import type { RowsHead } from '../../format/index.ts';
import type { Outputs } from '../../session/session.ts';
import { outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

/** [boxes, columns] or [1, boxes, columns]: class, score and corners in input pixels, in columns that the head names. */
export function decodeRows(outputs: Outputs, context: DecodeContext, { columns }: RowsHead): Candidate[] {
  const width = columns.length;
  const isBatch = outputs[context.first]?.shape.length === 3;
  const { data } = outputOf(outputs, context.first, isBatch ? [1, -1, width] : [-1, width]);
  return Array.from({ length: data.length / width }, (_, row): Candidate => {
    const at = (column: string): number => data[row * width + columns.indexOf(column)] as number;
    return {
      classIndex: at('class'),
      score: at('score'),
      left: at('left'),
      top: at('top'),
      right: at('right'),
      bottom: at('bottom'),
    };
  }).filter(({ score }) => score >= context.scoreThreshold);
}
