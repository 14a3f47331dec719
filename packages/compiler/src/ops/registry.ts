import { attentionOps } from './attention.ts';
import { castOps } from './cast.ts';
import { contribOps } from './contrib.ts';
import { contribQuantizedOps } from './contrib-quantized.ts';
import { controlFlowOps } from './control-flow.ts';
import { convolutionOps } from './convolution.ts';
import { creationOps } from './creation.ts';
import { detectionOps } from './detection.ts';
import { edgewiseOps } from './edgewise.ts';
import { einsumOps } from './einsum.ts';
import { elementwiseOps } from './elementwise.ts';
import { gatherOps } from './gather.ts';
import { logicalOps } from './logical.ts';
import { matmulOps } from './matmul.ts';
import { normalizationOps } from './normalization.ts';
import type { Node } from '../ir/index.ts';
import type { OpDefinition } from './op-definition.ts';
import { padOps } from './pad.ts';
import { poolingOps } from './pooling.ts';
import { quantizeLinearOps } from './quantize-linear.ts';
import { quantizedLstm } from './quantized-lstm.ts';
import { recurrentOps } from './recurrent.ts';
import { reduceOps } from './reduce.ts';
import { resizeOps } from './resize.ts';
import { shapeOps } from './shape-ops.ts';
import { sliceOps } from './slice.ts';

/** Every operator that Edgewise knows. To add one, add it to its family's list, or a family's list here. */
export const operators: readonly OpDefinition[] = [
  ...elementwiseOps,
  ...logicalOps,
  ...reduceOps,
  ...matmulOps,
  ...einsumOps,
  ...normalizationOps,
  ...shapeOps,
  ...sliceOps,
  ...padOps,
  ...gatherOps,
  ...creationOps,
  ...castOps,
  ...convolutionOps,
  ...poolingOps,
  ...resizeOps,
  ...quantizeLinearOps,
  ...detectionOps,
  ...recurrentOps,
  quantizedLstm,
  ...controlFlowOps,
  ...attentionOps,
  ...contribOps,
  ...contribQuantizedOps,
  ...edgewiseOps,
];

const BY_NAME = new Map<string, OpDefinition>(operators.map((op) => [`${op.domain}:${op.opType}`, op]));

/** The definition of an operator in a version of its domain; undefined when Edgewise does not know it. */
export function findOperator(domain: string, opType: string, version: number): OpDefinition | undefined {
  const op = BY_NAME.get(`${domain === 'ai.onnx' ? '' : domain}:${opType}`);
  if (op === undefined || version < op.since) return undefined;
  return op.until !== undefined && version >= op.until ? undefined : op;
}

/** The version of a domain that a model imports; both spellings of the standard domain are one. */
export function opsetVersion(opsets: ReadonlyMap<string, number>, domain: string): number {
  if (domain === '' || domain === 'ai.onnx') return opsets.get('') ?? opsets.get('ai.onnx') ?? 1;
  return opsets.get(domain) ?? 1;
}

/** What is wrong with a node's number of inputs or outputs; undefined when nothing is. */
export function arityProblem(operator: OpDefinition, node: Node): string | undefined {
  return (
    countProblem('input', node.inputs.length, operator.inputs) ??
    countProblem('output', node.outputs.length, operator.outputs ?? [1, 1])
  );
}

function countProblem(
  what: string,
  count: number,
  [least, most]: readonly [number, number],
): string | undefined {
  if (count >= least && count <= most) return undefined;
  const wanted =
    least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return `it has ${count} ${what}s instead of ${wanted}`;
}
