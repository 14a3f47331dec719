import type { Dim } from '../ir/index.ts';
import { dtypeOf, shapeOf, tensorType, unknownDims } from './inference.ts';
import type { OpDefinition } from './op-definition.ts';

const nonMaxSuppression: OpDefinition = {
  domain: '',
  opType: 'NonMaxSuppression',
  since: 10,
  inputs: [2, 5],
  /** One row of batch, class and box index per kept box. */
  infer: (context) => [tensorType('int64', [context.freshDim('boxes'), 3])],
};

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

/** Operators of detection heads: types only. */
export const detectionOps: readonly OpDefinition[] = [nonMaxSuppression, gridSample, roiAlign];
