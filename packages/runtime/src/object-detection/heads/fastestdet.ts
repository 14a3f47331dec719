import type { Outputs } from '../../session/session.ts';
import { cornersOf, listCandidates, outputOf, type Candidate, type DecodeContext } from '../candidate.ts';

const OBJECTNESS_POWER = 0.6;
const CLASS_POWER = 0.4;

/**
 * [1, 5 + classes, rows, columns]: objectness, offset of the centre from the cell (tanh), size as a share of the input,
 * classes. score = objectness^0.6 × class^0.4 (FastestDet's example/onnx-runtime/runtime.py).
 */
export function decodeFastestDet(outputs: Outputs, context: DecodeContext): Candidate[] {
  const { width, height, classCount, first } = context;
  const { data, shape } = outputOf(outputs, first, [1, 5 + classCount, -1, -1]);
  const [, , rows = 0, columns = 0] = shape;
  const cells = rows * columns;
  const scores = Float64Array.from(data.subarray(5 * cells), (share) => Math.max(share, 0) ** CLASS_POWER);
  return listCandidates(cells, context, (cell) => {
    const at = (channel: number): number => data[channel * cells + cell] as number;
    return {
      scores,
      start: cell,
      step: cells,
      factor: Math.max(at(0), 0) ** OBJECTNESS_POWER,
      corners: () =>
        cornersOf(
          (((cell % columns) + Math.tanh(at(1))) / columns) * width,
          ((Math.floor(cell / columns) + Math.tanh(at(2))) / rows) * height,
          sigmoid(at(3)) * width,
          sigmoid(at(4)) * height,
        ),
    };
  });
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
