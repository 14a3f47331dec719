import type { Dim } from '../ir/index.ts';
import { dtypeOf, shapeOf, tensorType, unknownDims } from './inference.ts';
import { asNumbers } from './indexing.ts';
import { ndArray, toScalar, type NdArray } from './nd-array.ts';
import type { EvaluateContext, OpDefinition } from './op-definition.ts';
import { suppressBoxes } from './suppress-boxes.ts';

const nonMaxSuppression: OpDefinition = {
  domain: '',
  opType: 'NonMaxSuppression',
  since: 10,
  inputs: [2, 5],
  /** One row of batch, class and box index per kept box. */
  infer: (context) => [tensorType('int64', [context.freshDim('boxes'), 3])],
  evaluate: (context) => [evaluateSuppression(context)],
};

function evaluateSuppression(context: EvaluateContext): NdArray {
  const [boxes, scores] = [context.input(0), context.input(1)];
  const limit = (slot: number): number | undefined => context.inputs[slot] && toScalar(context.inputs[slot]);
  const [batch = 0, classes = 0, count = 0] = scores.dims;
  const rows = suppressBoxes(asNumbers(boxes), asNumbers(scores), {
    batch,
    classes,
    boxes: count,
    maxPerClass: Math.max(0, limit(2) ?? 0),
    iouThreshold: limit(3) ?? 0,
    scoreThreshold: limit(4) ?? null,
    format: context.attributes.int('center_point_box', 0) === 1 ? 'centre' : 'corners',
  });
  return ndArray('int64', [rows.length, 3], BigInt64Array.from(rows.flat(), BigInt));
}

const gridSample: OpDefinition = {
  domain: '',
  opType: 'GridSample',
  since: 16,
  inputs: [2, 2],
  infer(context) {
    const [x, grid] = [shapeOf(context, 0), shapeOf(context, 1)];
    if (x === undefined && grid === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    const spatial = grid?.slice(1, -1) ?? unknownDims((x?.length ?? 2) - 2);
    return [tensorType(dtypeOf(context, 0), [x?.[0] ?? grid?.[0] ?? null, x?.[1] ?? null, ...spatial])];
  },
};

const roiAlign: OpDefinition = {
  domain: '',
  opType: 'RoiAlign',
  since: 10,
  inputs: [3, 3],
  infer(context) {
    const dims: Dim[] = [
      shapeOf(context, 1)?.[0] ?? null,
      shapeOf(context, 0)?.[1] ?? null,
      context.attributes.int('output_height', 1),
      context.attributes.int('output_width', 1),
    ];
    return [tensorType(dtypeOf(context, 0), dims)];
  },
};

/** Operators of detection heads. */
export const detectionOps: readonly OpDefinition[] = [nonMaxSuppression, gridSample, roiAlign];
